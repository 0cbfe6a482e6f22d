import { randomUUID } from 'node:crypto';
import type { CompanyRole } from '../../../src/events/company.ts';
import { until } from '../../../tools/until.ts';
import type { Person, TestApp } from './app.ts';
import { filesOf, put } from '../files/uploads.ts';

/** Users with different rights on one job and its group. */
export interface Cast {
  /** The company that posted the job. */
  owner: Person;
  /** An interviewer of the company, an admin of the group, without rights on the job. */
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
  /** A note of the owner on the application. */
  noteId: string;
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
  await joinCompany(app, admin, { of: owner, role: 'interviewer' });
  return { owner, admin, member, exMember, stranger };
}

/** Lets somebody join the company of its owner, by the link in the letter, which is in the log without a mail server. */
export async function joinCompany(
  app: TestApp,
  person: Person,
  { of: owner, role, jobIds = null }: { of: Person; role: CompanyRole; jobIds?: readonly string[] | null },
): Promise<void> {
  const email = `${randomUUID()}@example.org`;
  const body = { email, role, jobIds };
  const { body: invited, text } = await app.ask('POST', '/v1/company/invitations', { as: owner, body });
  const isLetter = ({ messageId }: Record<string, unknown>) =>
    String(messageId).startsWith(`<${String(invited['invitationId'])}@`);
  await until(() => app.lines().some(isLetter), `the letter of ${text}`);
  const token = new URL(String(app.lines().find(isLetter)!['link'])).searchParams.get('token');
  const joined = await app.ask('POST', '/v1/invitations/accept', { as: person, body: { token } });
  if (joined.status !== 200) throw new Error(joined.text);
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
  const { noteId } = await must('POST', `/v1/applications/${applicationId}/notes`, owner, {
    clientMsgId: randomUUID(),
    text: 'Knows engines',
  });
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
    noteId: noteId!,
    position: position!,
  };
}
