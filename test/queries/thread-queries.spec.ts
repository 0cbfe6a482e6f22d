import type { Actor } from '../../src/commands/command.ts';
import { ApplicationId, GroupId, JobId, MessageId, UserId } from '../../src/events/ids.ts';
import { MOST_LOOKED_AT } from '../../src/queries/groups.ts';
import { bindQueries } from '../../src/queries/queries.ts';
import { deleted, messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  adaAppliedPrivately,
  applicationId,
  bob,
  dismissed,
  event,
  groupId,
  hired,
  interviewer,
  jobId,
  otherJobId,
  privateJobPosted,
  privately,
  recruiter,
  registered,
  rival,
  teamCreated,
  thread,
  threadId,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

/** A recruiter of another job, and somebody who was an owner. */
const elsewhere = { ...recruiter, userId: UserId.parse(uuid(0xa6)) };
const former = { ...recruiter, userId: UserId.parse(uuid(0xa7)) };
const bobsThread = GroupId.parse(uuid(0x23));
const bobsApplication = {
  ...privately,
  applicationId: ApplicationId.parse(uuid(0x31)),
  groupId: bobsThread,
  applicantId: bob.userId,
};

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    ...[registered(acme, 'Acme'), registered(ada, 'Ada'), registered(bob, 'Bob'), registered(rival, 'Rival')],
    ...[privateJobPosted, teamCreated],
    ...[adaAppliedPrivately, ...thread],
    event('ApplicationSubmitted', { ...bobsApplication, coverLetter: null }),
    event('ChatGroupCreated', {
      ...{ groupId: bobsThread, jobId, name: 'Engineer', adminId: acme.userId, kind: 'thread' },
      ...{ applicationId: bobsApplication.applicationId, applicantId: bob.userId },
    }),
    event('MemberJoined', { groupId: bobsThread, userId: bob.userId, role: 'member' }),
  );
}, 60_000);
afterAll(() => side?.close());

const list = (asked: Partial<Parameters<ReadSide['queries']['listThreads']>[0]> = {}) =>
  side.queries.listThreads({ actor: acme, jobId, limit: 10, ...asked });
const namesIn = async (asked: Parameters<typeof list>[0] = {}) =>
  (await list(asked)).data.map(({ applicant }) => applicant.displayName);
const ofAda = async () => (await list()).data.find(({ groupId: id }) => id === threadId)!;
const talk = (...events: Parameters<ReadSide['happened']>) => side.happened(...events);

describe('the threads of a job', () => {
  test('begin with applications that wait for the company', async () => {
    expect((await list()).data).toEqual(
      [
        { ...bobsApplication, displayName: 'Bob' },
        { ...privately, displayName: 'Ada' },
      ].map(({ groupId: id, applicationId: application, applicantId, displayName }) => ({
        ...{ groupId: id, applicationId: application, applicant: { userId: applicantId, displayName } },
        ...{
          status: 'submitted',
          assigneeId: null,
          headSeq: 0,
          readSeq: 0,
          lastMessage: null,
          unreadCount: 0,
        },
        ...{ waitingOn: 'company', waitingSince: '2026-01-02T03:04:05.678Z' },
      })),
    );
  });

  test('tell which side is to answer, since its first message without an answer', async () => {
    const at = '2026-01-02T03:04:05.678Z';
    await talk(said(1, ada, 'Hello', threadId), said(2, ada, 'Anybody there?', threadId));
    expect(await ofAda()).toMatchObject({
      ...{ waitingOn: 'company', waitingSince: at, unreadCount: 2 },
      lastMessage: { id: messageNumber(2), text: 'Anybody there?' },
    });
    await talk(said(3, acme, 'Yes', threadId));
    expect(await ofAda()).toMatchObject({ waitingOn: 'applicant', lastMessage: { id: messageNumber(3) } });
    await talk(deleted(3, threadId));
    expect(await ofAda()).toMatchObject({ waitingOn: 'company' });
    await talk(said(4, acme, 'Yes!', threadId));
    expect(await ofAda()).toMatchObject({ waitingOn: 'applicant' });
  });

  test('are listed by their latest message, page by page, and none is missed that moves meanwhile', async () => {
    expect(await namesIn()).toEqual(['Ada', 'Bob']);
    const first = await list({ limit: 1 });
    await talk(said(5, bob, 'Hello', bobsThread));
    const second = await list({ limit: 1, cursor: first.nextCursor! });
    const third = await list({ limit: 1, cursor: second.nextCursor! });
    const names = [...first.data, ...second.data, ...third.data].map(
      ({ applicant }) => applicant.displayName,
    );
    expect(new Set(names)).toEqual(new Set(['Ada', 'Bob']));
  });

  test('are found by status, and by whether something is unread', async () => {
    await talk(event('ApplicationStatusChanged', { ...privately, status: 'interview', reason: null }));
    expect(await namesIn({ status: 'interview' })).toEqual(['Ada']);
    expect(await namesIn({ status: 'submitted' })).toEqual(['Bob']);
    expect(await namesIn({ status: 'hired' })).toEqual([]);
    await side.readMarkers.move(threadId, acme, 5);
    expect(await namesIn({ unread: true })).toEqual(['Bob']);
    expect(await namesIn({ unread: false })).toEqual(['Ada']);
    expect(await namesIn({ assigneeId: acme.userId })).toEqual([]);
  });

  test('are hidden from another company, and from an applicant but for its own', async () => {
    expect(await namesIn({ actor: rival })).toEqual([]);
    expect(await namesIn({ actor: ada })).toEqual(['Ada']);
  });

  test('are shown to the people of the company whose role has them', async () => {
    await talk(
      ...[hired(recruiter, 'recruiter', [jobId]), hired(interviewer, 'interviewer'), hired(viewer, 'viewer')],
      ...[hired(elsewhere, 'recruiter', [otherJobId]), hired(former, 'owner'), dismissed(former)],
      event('ThreadAssigned', { groupId: threadId, assigneeId: interviewer.userId }),
    );
    const everybody = [interviewer, viewer, recruiter, elsewhere, former];
    const seen = await Promise.all(everybody.map((actor) => namesIn({ actor })));
    expect(seen.map((names) => names.toSorted())).toEqual([
      ...[['Ada'], ['Ada', 'Bob'], ['Ada', 'Bob'], [], []],
    ]);
  });

  test('are found by whom they are assigned to', async () => {
    expect(await namesIn({ assigneeId: interviewer.userId })).toEqual(['Ada']);
    expect(await ofAda()).toMatchObject({ assigneeId: interviewer.userId });
    await talk(event('ThreadAssigned', { groupId: threadId, assigneeId: viewer.userId }));
    expect(await namesIn({ assigneeId: interviewer.userId })).toEqual([]);
    expect(await namesIn({ actor: interviewer })).toEqual([]);
  });
});

/** More threads than one call looks at. */
describe('very many threads of a job', () => {
  const MANY = 3 * MOST_LOOKED_AT + 200;
  const crowd = { ...recruiter, userId: UserId.parse(uuid(0xa8)) };
  const manyId = JobId.parse(uuid(0x13));
  const threadOf = (n: number) => GroupId.parse(uuid(0x70_0000 + n));
  const read = [0, 7, 1_300];
  const greeting = (n: number, count: number) =>
    event('MessageSent', {
      ...said(0, ada, 'Hello', threadOf(n)).data,
      messageId: MessageId.parse(uuid(0x90_0000 + 10 * n + count)),
    });

  beforeAll(async () => {
    const posted = { ...privateJobPosted.data, jobId: manyId, groupId: GroupId.parse(uuid(0x24)) };
    await side.happened(
      event('JobPosted', { ...posted, companyId: crowd.userId }),
      ...Array.from({ length: MANY }, (_, n) => {
        const about = { applicantId: UserId.parse(uuid(0x80_0000 + n)), jobId: manyId };
        const subject = { ...about, applicationId: ApplicationId.parse(uuid(0x60_0000 + n)) };
        return [
          event('ApplicationSubmitted', {
            ...{ ...subject, groupId: threadOf(n), isPrivate: true, coverLetter: null },
          }),
          event('ChatGroupCreated', {
            ...{ ...subject, groupId: threadOf(n), name: 'Many', adminId: crowd.userId, kind: 'thread' },
          }),
          greeting(n, 0),
        ];
      }).flat(),
    );
    for (const n of read) await side.readMarkers.move(threadOf(n), crowd, 1);
  }, 120_000);

  test('are found by whether something is unread, in pages that end after so many threads', async () => {
    const find = async (unread: boolean, meanwhile?: () => Promise<unknown>) => {
      const found: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await list({ actor: crowd, jobId: manyId, unread, cursor });
        found.push(...page.data.map(({ groupId: id }) => id));
        cursor = page.nextCursor ?? undefined;
        if (pages === 0) await meanwhile?.();
        pages += 1;
      } while (cursor !== undefined && pages < 1_000);
      return { found, pages };
    };
    const { found, pages } = await find(false);
    expect(found.toSorted()).toEqual(read.map(threadOf).toSorted());
    expect(pages).toBe(4);
    const first = await list({ actor: crowd, jobId: manyId, unread: false });
    expect(first.data.map(({ groupId: id }) => id)).toEqual([threadOf(1_300)]);
    expect(first.nextCursor).not.toBeNull();
    // One that was to be found later moves up, and is unread then.
    const later = await find(false, () => side.happened(greeting(7, 1)));
    expect(later.found.toSorted()).toEqual([0, 1_300].map(threadOf).toSorted());
    const moved = await find(true, () => side.happened(greeting(0, 1)));
    expect(new Set(moved.found)).toEqual(
      new Set(Array.from({ length: MANY }, (_, n) => threadOf(n)).filter((id) => id !== threadOf(1_300))),
    );
  }, 120_000);
});

describe('the groups of a user', () => {
  const kindsOf = async ({ userId }: Actor) =>
    new Map(
      (await side.queries.listGroups({ userId, limit: 10 })).data.map(({ groupId: id, kind, ...group }) => [
        id,
        { kind, applicationId: group.applicationId, memberCount: group.memberCount },
      ]),
    );

  test('say what kind they are, and threads what they are about', async () => {
    expect(await kindsOf(ada)).toEqual(
      new Map([[threadId, { kind: 'thread', applicationId, memberCount: 2 }]]),
    );
    expect(await kindsOf(acme)).toEqual(
      new Map([
        [groupId, { kind: 'team', applicationId: undefined, memberCount: 4 }],
        [threadId, { kind: 'thread', applicationId, memberCount: 2 }],
        [bobsThread, { kind: 'thread', applicationId: bobsApplication.applicationId, memberCount: 2 }],
      ]),
    );
  });

  test('open and close with their threads, and change with their jobs', async () => {
    const standing = async () => {
      const { status, kind } = await side.queries.getGroup({ userId: acme.userId, groupId });
      return { status, kind };
    };
    await side.happened(event('GroupClosed', { groupId }), event('GroupReopened', { groupId }));
    expect(await standing()).toEqual({ status: 'open', kind: 'team' });
    await side.happened(event('GroupKindChanged', { groupId, kind: 'job', historyFrom: 'joined' }));
    await side.happened(event('GroupClosed', { groupId }));
    expect(await standing()).toEqual({ status: 'closed', kind: 'job' });
  });
});

test('A page of groups or threads is one statement', async () => {
  let statements = 0;
  const counting = new Proxy(side.db, {
    get(db, name) {
      const found: unknown = Reflect.get(db, name);
      if (typeof found !== 'function') return found;
      return (...given: unknown[]) => {
        statements += 1;
        return Reflect.apply(found, db, given) as unknown;
      };
    },
  });
  const { listGroups, listThreads } = bindQueries(counting);
  const asked = { actor: acme, jobId, limit: 1 };
  const { nextCursor } = await listThreads(asked);
  await listGroups({ userId: acme.userId, limit: 50 });
  // The last page also tells whether a thread has moved up meanwhile.
  await listThreads({ ...asked, limit: 50, cursor: nextCursor! });
  await listThreads({ ...asked, unread: true });
  expect(statements).toBe(4);
});

test('Of more than 500 threads the latest have rooms, and all have heads', async () => {
  const many = await openReadSide();
  try {
    const ids = Array.from({ length: 505 }, (_, n) => GroupId.parse(uuid(0x70_0000 + n)));
    await many.happened(
      privateJobPosted,
      teamCreated,
      ...ids.map((id, n) =>
        event('ChatGroupCreated', {
          ...{ groupId: id, jobId, name: 'Engineer', adminId: acme.userId, kind: 'thread' },
          ...{ applicationId: ApplicationId.parse(uuid(0x80_0000 + n)), applicantId: ada.userId },
        }),
      ),
    );
    const [before] = await many.happened(said(1, acme, 'Hello', ids[0]));
    const { rooms, hasMore } = await many.queries.roomsOfUser(acme.userId);
    expect(hasMore).toBe(true);
    const entered = new Set(rooms.map(({ groupId: id }) => id));
    // The first has moved since, and so is among the latest.
    expect(entered).toEqual(new Set([groupId, ids[0]!, ...ids.slice(-499)]));
    const heads = (after: number) => many.queries.headsOfThreads({ userId: acme.userId, after });
    expect(await heads(-1)).toEqual([{ groupId: ids[0], headSeq: 1 }]);
    expect(await heads(before!.position)).toEqual([]);
    await many.happened(said(2, acme, 'Hello', ids[1]), deleted(1, ids[0]));
    expect(new Set(await heads(before!.position))).toEqual(
      new Set([
        { groupId: ids[0], headSeq: 2 },
        { groupId: ids[1], headSeq: 1 },
      ]),
    );
    expect(await many.queries.headsOfThreads({ userId: rival.userId, after: -1 })).toEqual([]);
  } finally {
    await many.close();
  }
}, 60_000);

test('A job says how its conversations are held, also after a change', async () => {
  const chat = async () => {
    const { conversations, historyFrom } = await side.queries.getJob({ actor: acme, jobId });
    return { conversations, historyFrom };
  };
  expect(await chat()).toEqual({ conversations: 'private', historyFrom: 'start' });
  const change = { conversations: 'group', historyFrom: 'joined' } as const;
  await side.happened(event('JobConversationsChanged', { jobId, groupId, ...change }));
  expect(await chat()).toEqual(change);
});
