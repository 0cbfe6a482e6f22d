import { randomUUID } from 'node:crypto';
import type { Person, TestApp } from './app.ts';
import { filesOf, put } from '../files/uploads.ts';

/** Users with different rights on one job and its group. */
export interface Cast {
  /** The company that posted the job. */
  owner: Person;
  /** An admin of the group without rights on the job. */
  admin: Person;
  /** An applicant and the author of the message. */
  member: Person;
  /** An applicant who withdrew. */
  exMember: Person;
  stranger: Person;
}

export interface Board {
  jobId: string;
  groupId: string;
  applicationId: string;
  messageId: string;
  /** A file of the member, uploaded and named by the message. */
  fileId: string;
  /** The position that covers all of it. */
  position: string;
}

export async function gatherCast(app: TestApp): Promise<Cast> {
  const [owner, admin, member, exMember, stranger] = await Promise.all([
    app.register('company', 'Acme'),
    app.register('company', 'Colleague'),
    app.register('applicant', 'Ada'),
    app.register('applicant', 'Xan'),
    app.register('applicant', 'Eve'),
  ]);
  return { owner, admin, member, exMember, stranger };
}

/** Creates a job with its group, an application and a message over REST. */
export async function setUpBoard(app: TestApp, cast: Cast): Promise<Board> {
  const { owner, admin, member, exMember } = cast;
  async function must(method: string, path: string, as: Person, body?: unknown) {
    const answer = await app.ask(method, path, { as, body });
    if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.text}`);
    return answer.body as Record<string, string>;
  }
  const { jobId, groupId } = (await must('POST', '/v1/jobs', owner, {
    title: 'Engineer',
    description: 'Builds engines',
  })) as { jobId: string; groupId: string };
  await must('POST', `/v1/groups/${groupId}/members`, owner, { userId: admin.userId, role: 'admin' });
  const { applicationId } = await must('POST', `/v1/jobs/${jobId}/applications`, member, {});
  const left = await must('POST', `/v1/jobs/${jobId}/applications`, exMember, {});
  await must('DELETE', `/v1/applications/${left['applicationId']}`, exMember);
  const bytes = new TextEncoder().encode('Hello');
  const file = { groupId, name: 'cv.txt', contentType: 'text/plain', bytes };
  const { fileId, upload } = await filesOf(app, member).request(file);
  await put(upload, bytes);
  const { messageId, position } = await must('POST', `/v1/groups/${groupId}/messages`, member, {
    clientMsgId: randomUUID(),
    text: 'Hello',
    fileIds: [fileId],
  });
  return {
    ...{ jobId, groupId, fileId },
    applicationId: applicationId!,
    messageId: messageId!,
    position: position!,
  };
}
