import fc from 'fast-check';
import { chatGroupOf } from '../../src/commands/chat-group/chat-group.ts';
import { mayInRoom } from '../../src/commands/chat-group/room.ts';
import { companyOf } from '../../src/commands/company/company.ts';
import type { Actor } from '../../src/commands/command.ts';
import type { GroupRole } from '../../src/events/chat-group.ts';
import { CompanyRole } from '../../src/events/company.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { ApplicationId, GroupId, type JobId, UserId } from '../../src/events/ids.ts';
import { chatGroups } from '../../src/projections/chat-groups.ts';
import {
  acme,
  ada,
  bob,
  dismissed,
  event,
  groupCreated,
  groupId,
  hired,
  interviewer,
  jobId,
  joined,
  left,
  moved,
  otherJobId,
  recruiter,
  rival,
  teamCreated,
  thread,
  threadId,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { type Rows, recorded, stage } from '../support/language/projection.ts';

const { open, close, given, after, schema } = stage(chatGroups);
beforeAll(open);
afterAll(close);

const inThread = ({ userId }: Actor, role: GroupRole = 'member') =>
  event('MemberJoined', { groupId: threadId, userId, role });
const outOfThread = ({ userId }: Actor) => event('MemberRemoved', { groupId: threadId, userId });
const assigned = (who: Actor | null) =>
  event('ThreadAssigned', { groupId: threadId, assigneeId: who && who.userId });
const readers = 'group_id, user_id, role, is_joined, is_active';
const row = (group_id: GroupId, { userId: user_id }: Actor, role: string, is_joined = false) => ({
  ...{ group_id, user_id, role, is_joined, is_active: true },
});
const away = (group_id: GroupId, { userId: user_id }: Actor, role: string, is_joined = false) => ({
  ...{ group_id, user_id, role, is_joined, is_active: false },
});
const adaInThread = row(threadId, ada, 'member', true);
const acmeInThread = row(threadId, acme, 'admin', true);

describe('the people of a company', () => {
  const columns = 'company_id, user_id, role, job_ids, revision';
  const person = ({ userId: user_id }: Actor, role: string | null, revision: number, job_ids?: JobId[]) => ({
    ...{ company_id: acme.userId, user_id, role, job_ids: job_ids ?? null, revision },
  });

  test('begin with its first owner, once it has posted a job', () =>
    given(groupCreated).then('staff', columns, [person(acme, 'owner', -1)]));

  test('are who has joined, each with a role and jobs', () =>
    given(hired(recruiter, 'recruiter', [jobId]), hired(viewer, 'viewer')).then('staff', columns, [
      person(acme, 'owner', -1),
      person(recruiter, 'recruiter', 0, [jobId]),
      person(viewer, 'viewer', 1),
    ]));

  test('have the role of their last change, and none once they were removed', () =>
    given(
      ...[hired(recruiter, 'viewer'), hired(viewer, 'viewer'), moved(recruiter, 'recruiter', [otherJobId])],
      ...[moved(acme, 'interviewer'), dismissed(viewer)],
    ).then('staff', columns, [
      person(acme, 'interviewer', 3),
      person(recruiter, 'recruiter', 2, [otherJobId]),
      person(viewer, null, 4),
    ]));

  test('come back after a removal', () =>
    given(hired(viewer, 'viewer'), dismissed(viewer), hired(viewer, 'owner')).then('staff', columns, [
      person(acme, 'owner', -1),
      person(viewer, 'owner', 2),
    ]));
});

describe('the readers of a thread', () => {
  test('are those whose role lets them in, whether they joined before or after it was opened', () => {
    const team = [hired(recruiter, 'recruiter', [jobId]), hired(viewer, 'viewer')];
    const rows = [
      acmeInThread,
      row(threadId, recruiter, 'admin'),
      row(threadId, viewer, 'member'),
      adaInThread,
    ];
    return Promise.all([]).then(async () => {
      await given(...team, ...thread).then('members', readers, rows);
      await given(...thread, ...team).then('members', readers, rows);
    });
  });

  test('are neither recruiters of other jobs nor interviewers whom it is not assigned to', () =>
    given(...thread, hired(recruiter, 'recruiter', [otherJobId]), hired(interviewer, 'interviewer')).then(
      'members',
      readers,
      [acmeInThread, adaInThread],
    ));

  test('follow its assignment', async () => {
    const team = [hired(interviewer, 'interviewer'), hired(rival, 'interviewer')];
    await given(...thread, ...team, assigned(interviewer)).then('members', readers, [
      acmeInThread,
      row(threadId, interviewer, 'member'),
      adaInThread,
    ]);
    await given(...thread, ...team, assigned(interviewer), assigned(rival)).then('members', readers, [
      acmeInThread,
      row(threadId, rival, 'member'),
      adaInThread,
    ]);
    await given(...thread, ...team, assigned(interviewer), assigned(null)).then('members', readers, [
      acmeInThread,
      adaInThread,
    ]);
  });

  test('follow the jobs of a teammate, and its removal', async () => {
    const team = hired(recruiter, 'recruiter', [jobId]);
    for (const change of [moved(recruiter, 'recruiter', [otherJobId]), dismissed(recruiter)])
      await given(...thread, team, change).then('members', readers, [acmeInThread, adaInThread]);
  });

  test('include a teammate that was added, until it leaves the thread or the company', async () => {
    const team = hired(interviewer, 'interviewer');
    const added = [...thread, team, inThread(interviewer)];
    await given(...added).then('members', readers, [
      acmeInThread,
      row(threadId, interviewer, 'member', true),
      adaInThread,
    ]);
    await given(...added, outOfThread(interviewer)).then('members', readers, [
      acmeInThread,
      away(threadId, interviewer, 'member'),
      adaInThread,
    ]);
    await given(...added, dismissed(interviewer)).then('members', readers, [
      acmeInThread,
      away(threadId, interviewer, 'member', true),
      adaInThread,
    ]);
    await given(...added, dismissed(interviewer), hired(interviewer, 'viewer')).then('members', readers, [
      acmeInThread,
      row(threadId, interviewer, 'member', true),
      adaInThread,
    ]);
  });

  test('do not include its first owner by right once it has another role', async () => {
    const handed = [hired(rival, 'owner'), moved(acme, 'interviewer')];
    await given(...thread, ...handed).then('members', readers, [
      away(threadId, acme, 'member', true),
      row(threadId, rival, 'admin'),
      adaInThread,
    ]);
  });

  test('are counted as far as they were added and may still read it', async () => {
    const team = [hired(recruiter, 'recruiter'), hired(interviewer, 'interviewer')];
    const count = (member_count: number) => [{ member_count }];
    await given(...thread, ...team).then('groups', 'member_count', count(2));
    await given(...thread, ...team, inThread(interviewer)).then('groups', 'member_count', count(3));
    await given(...thread, ...team, inThread(interviewer), dismissed(interviewer)).then(
      'groups',
      'member_count',
      count(2),
    );
  });
});

describe('the readers of the other rooms', () => {
  const team = [hired(recruiter, 'recruiter', [otherJobId]), hired(interviewer, 'interviewer', [jobId])];

  test('of the team’s room are the people of its job', async () => {
    await given(teamCreated, ...team, hired(viewer, 'viewer')).then('members', readers, [
      row(groupId, acme, 'admin', true),
      row(groupId, interviewer, 'member'),
      row(groupId, viewer, 'member'),
    ]);
    await given(teamCreated, ...team, hired(viewer, 'viewer')).then('groups', 'member_count', [
      { member_count: 3 },
    ]);
  });

  test('of a job’s group are its members, but nobody who was removed from the company', async () => {
    await given(groupCreated, ...team, joined(interviewer), joined(bob)).then('members', readers, [
      row(groupId, acme, 'admin', true),
      row(groupId, interviewer, 'member', true),
      row(groupId, bob, 'member', true),
    ]);
    await given(groupCreated, ...team, joined(interviewer), joined(bob), dismissed(interviewer)).then(
      'members',
      readers,
      [
        row(groupId, acme, 'admin', true),
        away(groupId, interviewer, 'member', true),
        row(groupId, bob, 'member', true),
      ],
    );
    await given(groupCreated, ...team, joined(interviewer), dismissed(interviewer)).then(
      'groups',
      'member_count',
      [{ member_count: 1 }],
    );
  });

  test('change with the kind of the room, and keep the roles that they were given', async () => {
    const to = (kind: 'team' | 'job') => event('GroupKindChanged', { groupId, kind, historyFrom: 'start' });
    const all = [hired(recruiter, 'recruiter'), hired(viewer, 'viewer')];
    await given(groupCreated, ...all, joined(bob), to('team')).then('members', readers, [
      row(groupId, acme, 'admin', true),
      row(groupId, recruiter, 'admin'),
      row(groupId, viewer, 'member'),
      away(groupId, bob, 'member', true),
    ]);
    await given(teamCreated, ...all, joined(recruiter), to('job')).then('members', readers, [
      row(groupId, acme, 'admin', true),
      row(groupId, recruiter, 'member', true),
    ]);
  });
});

/** Any history of a company with a room of its own, and a thread for each of its two jobs. */
describe('any history of a company', () => {
  const otherThread = GroupId.parse(uuid(0x23));
  const owner = { ...acme, userId: UserId.parse(uuid(0xa8)) };
  const staff = [acme, owner, recruiter, interviewer, viewer];
  const everybody = [...staff, ada, bob, rival];
  const rooms = [groupId, threadId, otherThread];
  const created = {
    [groupId]: [groupCreated],
    [threadId]: thread,
    [otherThread]: [
      event('ChatGroupCreated', {
        ...{ groupId: otherThread, jobId: otherJobId, name: 'Pilot', adminId: recruiter.userId },
        ...{ companyId: acme.userId, kind: 'thread', applicantId: bob.userId },
        applicationId: ApplicationId.parse(uuid(0x31)),
      }),
    ],
  };

  const place = {
    who: fc.constantFrom(...staff),
    role: fc.constantFrom(...CompanyRole.options),
    jobIds: fc.constantFrom<JobId[] | null>(null, [], [jobId], [otherJobId], [jobId, otherJobId]),
  };
  const room = fc.constantFrom(...rooms);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('place' as const), ...place }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('dismiss' as const), who: place.who }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), room }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('join' as const),
        room,
        who: fc.constantFrom(...everybody),
        role: fc.constantFrom<GroupRole>('admin', 'member'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('leave' as const), room, who: fc.constantFrom(...everybody) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('assign' as const),
        room: fc.constantFrom(threadId, otherThread),
        who: fc.option(place.who, { nil: null }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('turn' as const),
        kind: fc.constantFrom<'team' | 'job'>('team', 'job'),
      }),
    },
  );
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  const fold = <S>(
    { stream, aggregate }: { stream: string; aggregate: { initial: S; evolve: (state: S, e: never) => S } },
    events: readonly DomainEvent[],
  ) =>
    recorded(events)
      .filter((each) => each.stream === stream)
      .reduce((state, each) => aggregate.evolve(state, each as never), aggregate.initial);
  const companyAfter = (events: readonly DomainEvent[]) => fold(companyOf(acme.userId), events);
  const groupAfter = (events: readonly DomainEvent[], id: GroupId) => fold(chatGroupOf(id), events);

  /** Returns the events of a step, none if it is not possible at this point. */
  function next(events: readonly DomainEvent[], each: Step): DomainEvent[] {
    switch (each.do) {
      case 'place':
        return companyAfter(events).members.has(each.who.userId)
          ? [moved(each.who, each.role, each.jobIds)]
          : [hired(each.who, each.role, each.jobIds)];
      case 'dismiss':
        return companyAfter(events).members.has(each.who.userId) ? [dismissed(each.who)] : [];
      case 'open':
        return groupAfter(events, each.room).status === 'none' ? created[each.room]! : [];
      case 'turn':
        return groupAfter(events, groupId).status === 'none'
          ? []
          : [event('GroupKindChanged', { groupId, kind: each.kind, historyFrom: 'start' })];
      case 'assign':
        return groupAfter(events, each.room).status === 'none'
          ? []
          : [event('ThreadAssigned', { groupId: each.room, assigneeId: each.who && each.who.userId })];
      case 'join': {
        const data = { groupId: each.room, userId: each.who.userId, role: each.role };
        return groupAfter(events, each.room).status === 'none' ? [] : [event('MemberJoined', data)];
      }
      case 'leave': {
        const group = groupAfter(events, each.room);
        return group.status !== 'none' && group.members.has(each.who.userId)
          ? [event('MemberLeft', { ...left(each.who).data, groupId: each.room })]
          : [];
      }
    }
  }

  /** Returns who may read which room in which role, and how many are counted, by the commands' rules alone. */
  function expected(events: readonly DomainEvent[]) {
    const company = companyAfter(events);
    return rooms.flatMap((id) => {
      const group = groupAfter(events, id);
      if (group.status === 'none') return [];
      const readers = everybody.filter(({ userId }) => mayInRoom({ group, company }, userId, 'read'));
      const roleOf = ({ userId }: Actor) => {
        if (group.kind === 'job' || userId === group.applicantId) return group.members.get(userId);
        return mayInRoom({ group, company }, userId, 'manage') ? 'admin' : 'member';
      };
      const counted = readers.filter(({ userId }) => group.kind !== 'thread' || group.members.has(userId));
      return [
        {
          group_id: id,
          count: counted.length,
          readers: readers.map((r) => `${r.userId} ${roleOf(r)}`).sort(),
        },
      ];
    });
  }
  const SHOWN = `
    select g.group_id, g.member_count as count, array(
      select m.user_id || ' ' || m.role from ${schema}.members m
      where m.group_id = g.group_id and m.is_active order by 1
    ) as readers
    from ${schema}.groups g order by array_position('{${rooms.join()}}', g.group_id)`;
  const TABLES = ['staff', 'members', 'groups'].map(
    (table) => `select '${table}' as of, t::text as row from ${schema}.${table} t`,
  );
  const WHOLE = `${TABLES.join(' union all ')} order by 1, 2`;

  test('lets in whom the rules of commands let in, and looks the same however it is cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 25 }),
        async (steps) => {
          const events: DomainEvent[] = [];
          const ends: number[] = [];
          for (const [each, isCut] of steps) {
            events.push(...next(events, each));
            if (isCut) ends.push(events.length);
          }
          const log = recorded(events);
          const cut = [...ends, log.length].map((end, index) => log.slice(ends[index - 1] ?? 0, end));
          const inPieces: Rows = await after(cut, SHOWN);
          expect(inPieces).toEqual(expected(events));
          expect(await after([log], WHOLE)).toEqual(await after(cut, WHOLE));
        },
      ),
      { numRuns: 60 },
    ));
});
