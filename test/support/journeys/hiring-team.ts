import { randomUUID } from 'node:crypto';
import { Set as ImmutableSet } from 'immutable';
import {
  type CompanyRight,
  type RoomRight,
  type Teammate,
  may,
  roomRights,
} from '../../../src/commands/company/rights.ts';
import type { CompanyRole } from '../../../src/events/company.ts';
import { JobId, UserId } from '../../../src/events/ids.ts';
import type { Person, TestApp } from '../stages/app.ts';
import { joinCompany } from '../stages/board.ts';
import { filesOf } from '../files/uploads.ts';

/** Somebody, and what it has to do with the company of the story. */
export interface Somebody {
  name: string;
  person: Person;
  role: 'company' | 'applicant';
  /** Its place in the company; undefined for others, and for those who were removed. */
  teammate?: Teammate;
  /** It was in the company. */
  isFormer?: boolean;
}

/** A room of the company, and who is in it by an event of its own. */
export interface Room {
  kind: 'team' | 'thread' | 'job';
  jobId: string;
  groupId: string;
  /** Who is in it, as an admin or not. */
  joined: Map<Somebody, 'admin' | 'member'>;
  applicant?: Somebody;
  assignee?: Somebody;
  /** An author, with a message in it that names a file. */
  speaker: Somebody;
  messageId: string;
  fileId: string;
}

/** An application, which has a thread of its own in a job with private conversations. */
export interface Application {
  applicationId: string;
  jobId: string;
  groupId: string;
  applicant: Somebody;
  assignee?: Somebody;
}

/** Returns true if the company's table gives somebody a right about a job, and an application to it. */
export const mayOf = (
  { person, teammate }: Somebody,
  right: CompanyRight,
  {
    jobId,
    assignee,
    isAdded = false,
  }: { jobId?: string; assignee?: Somebody | undefined; isAdded?: boolean },
): boolean =>
  teammate !== undefined &&
  may(right, UserId.parse(person.userId), teammate, {
    jobId: jobId === undefined ? null : JobId.parse(jobId),
    assigneeId: assignee ? UserId.parse(assignee.person.userId) : null,
    isAdded,
  });

/**
 * Returns true if somebody has a right in a room: in private ones the applicant, and whom the company's table lets in; in
 * the group of a job its members, as far as the table lets those write who are of the company.
 */
export function has(who: Somebody, room: Room, right: RoomRight): boolean {
  const given = room.joined.get(who);
  if (room.kind !== 'job' && who !== room.applicant) {
    const { jobId, assignee } = room;
    // Its first owner is in every room of the company from the beginning, and needs no invitation.
    const isAdded = given !== undefined && who.name !== 'owner';
    return mayOf(who, roomRights[room.kind][right], { jobId, assignee, isAdded });
  }
  if (given === undefined || who.isFormer) return false;
  if (right === 'manage' && given !== 'admin') return false;
  return right === 'read' || who.teammate === undefined || mayOf(who, 'writeGroups', {});
}

/**
 * A company with people in every place, a job with private conversations, and one with a group. Interviews are assigned,
 * some are in rooms that their role alone would not let them into, and one was removed.
 */
export async function hireTeam(app: TestApp) {
  let newest = '0';
  async function must(as: Somebody, method: string, path: string, body?: object) {
    const answer = await app.ask(method, path, { as: as.person, ...(body && { body }) });
    if (answer.status >= 300) throw new Error(`${as.name}: ${method} ${path}: ${answer.text}`);
    newest = (answer.body['position'] as string | undefined) ?? newest;
    return answer.body as Record<string, string>;
  }
  const signUp = async (name: string, role: Somebody['role']): Promise<Somebody> => ({
    ...{ name, role, person: await app.register(role, name) },
  });

  const owner: Somebody = {
    ...(await signUp('owner', 'company')),
    teammate: { role: 'owner', jobIds: null },
  };
  const post = async (conversations: 'group' | 'private') => {
    const posting = { title: 'Engineer', description: 'Builds engines', conversations };
    return (await must(owner, 'POST', '/v1/jobs', posting)) as { jobId: string; groupId: string };
  };
  const [inPrivate, inGroup, elsewhere] = [await post('private'), await post('group'), await post('group')];
  const [here, there] = [[inPrivate.jobId, inGroup.jobId], [elsewhere.jobId]];

  async function hire(name: string, role: CompanyRole, jobIds: string[] | null = null): Promise<Somebody> {
    const who = await signUp(name, 'company');
    await joinCompany(app, who.person, { of: owner.person, role, jobIds });
    return {
      ...who,
      teammate: { role, jobIds: jobIds && ImmutableSet(jobIds.map((id) => JobId.parse(id))) },
    };
  }
  const partner = await hire('partner', 'owner');
  const recruiter = await hire('recruiter of all jobs', 'recruiter');
  const limited = await hire('recruiter of these jobs', 'recruiter', here);
  const distant = await hire('recruiter of another job', 'recruiter', there);
  const assignee = await hire('interviewer assigned', 'interviewer');
  const interviewer = await hire('interviewer not assigned', 'interviewer');
  const viewer = await hire('viewer', 'viewer');
  const added = await hire('viewer of another job who was added', 'viewer', there);
  /** Whom managers add and remove. */
  const helper = await hire('helper', 'viewer', there);
  const rival = await signUp('another company', 'company');
  const [ada, bob] = [await signUp('applicant', 'applicant'), await signUp('another applicant', 'applicant')];
  const former: Somebody = { ...(await hire('former teammate', 'recruiter')), isFormer: true };

  async function apply(applicant: Somebody, jobId: string): Promise<Application> {
    const { applicationId, groupId } = await must(applicant, 'POST', `/v1/jobs/${jobId}/applications`, {});
    return { applicationId: applicationId!, groupId: groupId!, jobId, applicant };
  }
  const applications = {
    ofAda: { ...(await apply(ada, inPrivate.jobId)), assignee },
    ofBob: await apply(bob, inPrivate.jobId),
    ofAdaInGroup: await apply(ada, inGroup.jobId),
    ofBobInGroup: await apply(bob, inGroup.jobId),
  };
  await must(owner, 'PUT', `/v1/applications/${applications.ofAda.applicationId}/assignee`, {
    userId: assignee.person.userId,
  });

  async function furnish(room: Omit<Room, 'messageId' | 'fileId'>): Promise<Room> {
    for (const [who, role] of room.joined)
      if (who.role === 'company' && who !== owner)
        await must(owner, 'POST', `/v1/groups/${room.groupId}/members`, { userId: who.person.userId, role });
    const bytes = new TextEncoder().encode('Hello');
    const file = { groupId: room.groupId, name: 'cv.txt', contentType: 'text/plain', bytes };
    const fileId = await filesOf(app, room.speaker.person).upload(file);
    const said = { clientMsgId: randomUUID(), text: 'Hello', fileIds: [fileId] };
    const { messageId } = await must(room.speaker, 'POST', `/v1/groups/${room.groupId}/messages`, said);
    return { ...room, fileId, messageId: messageId! };
  }
  const thread = await furnish({
    ...{ ...applications.ofAda, kind: 'thread', speaker: ada },
    joined: new Map([
      [owner, 'admin'],
      [added, 'member'],
      [ada, 'member'],
    ]),
  });
  const team = await furnish({
    ...{ ...inPrivate, kind: 'team', speaker: owner },
    joined: new Map([
      [owner, 'admin'],
      [added, 'member'],
      [former, 'member'],
    ]),
  });
  const group = await furnish({
    ...{ ...inGroup, kind: 'job', speaker: ada },
    joined: new Map([
      [owner, 'admin'],
      [recruiter, 'admin'],
      [viewer, 'admin'],
      [assignee, 'member'],
      [former, 'admin'],
      [ada, 'member'],
      [bob, 'member'],
    ]),
  });
  await must(owner, 'DELETE', `/v1/company/members/${former.person.userId}`);
  delete former.teammate;

  return {
    rooms: [thread, team, group],
    group,
    applications: Object.values(applications),
    jobs: [inPrivate.jobId, inGroup.jobId],
    owner,
    helper,
    everybody: [
      ...[owner, partner, recruiter, limited, distant, assignee, interviewer, viewer, added, former],
      ...[rival, ada, bob],
    ],
    /** Those whose places change later: with an application or without, and added to rooms or not. */
    moving: [assignee, interviewer, viewer, added],
    must,
    /** The position of the last command: what is read shows it. */
    newest: () => newest,
  };
}
export type HiringTeam = Awaited<ReturnType<typeof hireTeam>>;
