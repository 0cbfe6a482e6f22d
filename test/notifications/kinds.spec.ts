import { chatGroupOf } from '../../src/commands/chat-group/chat-group.ts';
import type { AggregateRef } from '../../src/commands/command.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { standardPreferences } from '../../src/commands/account/account.ts';
import { type GroupId, JobId, UserId } from '../../src/events/ids.ts';
import type { TeamNews } from '../../src/events/account.ts';
import type { CompanyRole } from '../../src/events/company.ts';
import { chatGroupStream } from '../../src/events/streams.ts';
import type { Deciding } from '../../src/notifications/kinds/kind.ts';
import { kindByEvent, kindNames, recipientsOf } from '../../src/notifications/kinds/kinds.ts';
import { said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  applicationId,
  event,
  groupId,
  invitationId,
  jobPosted,
  left,
  subject,
  teamCreated,
  thread,
  threadId,
  uuid,
} from '../support/language/example-events.ts';
import { recorded } from '../support/language/projection.ts';

/** Returns the recipients of the last event of a history. */
async function toldAfter(...history: DomainEvent[]) {
  const events = recorded(history);
  const stateOf = <S>({ stream, aggregate: { initial, evolve } }: AggregateRef<S>): S =>
    events
      .filter((event) => event.stream === stream)
      .reduce((so, event) => evolve(so, event as never), initial);
  const deciding: Deciding = {
    state: async (ref) => stateOf(ref),
    told: new WeakMap(),
    async groupOf({ data }) {
      const { length } = events.filter(({ stream }) => stream === chatGroupStream(data.groupId));
      const state = stateOf(chatGroupOf(data.groupId));
      return { state, revision: length - 1, position: 0, latest: new Map() };
    },
  };
  return { event: events.at(-1)!, told: await recipientsOf(events.at(-1)!, deciding) };
}
const about = { groupId, subjectId: applicationId, seq: 0 };

describe('an application event', () => {
  test.each([adaApplied, adaReturned])('notifies the company that owns the job: $type', async (applied) => {
    const { event, told } = await toldAfter(jobPosted, applied);
    expect(told).toEqual([
      { ...about, eventId: event.id, recipientId: acme.userId, kind: 'application-submitted', position: 2 },
    ]);
  });

  test('notifies no recipient when there is no job', async () =>
    expect((await toldAfter(adaApplied)).told).toEqual([]));

  test.each([adaIs('interview'), adaReconsidered('offer')])(
    'notifies the applicant of a new status: $type',
    async (changed) => {
      const { event, told } = await toldAfter(jobPosted, adaApplied, changed);
      expect(told).toEqual([
        { ...about, eventId: event.id, recipientId: ada.userId, kind: 'application-status', position: 3 },
      ]);
    },
  );
});

test('A message in an unknown group notifies no recipient', async () =>
  expect((await toldAfter(said(1))).told).toEqual([]));

test.each([adaWithdrew, left(ada)])('$type notifies no recipient', async (event) =>
  expect((await toldAfter(event)).told).toBeUndefined(),
);

test('Every kind has an event that causes it', () =>
  expect(new Set(Object.values(kindByEvent))).toEqual(new Set([undefined, ...kindNames])));

describe('the people of a company', () => {
  const [owner, recruiter, other, interviewer, viewer] = [0xe1, 0xe2, 0xe3, 0xe4, 0xe5].map((n) =>
    UserId.parse(uuid(n)),
  ) as [UserId, UserId, UserId, UserId, UserId];
  const otherJobId = JobId.parse(uuid(0x12));
  const comes = (userId: UserId, role: CompanyRole, jobIds: JobId[] | null = null) =>
    event('TeammateJoined', { companyId: acme.userId, userId, invitationId, role, jobIds });
  const team = [
    comes(owner, 'owner'),
    comes(recruiter, 'recruiter'),
    comes(other, 'recruiter', [otherJobId]),
    comes(interviewer, 'interviewer'),
    comes(viewer, 'viewer'),
  ];
  const chooses = (userId: UserId, chosen: TeamNews) => [
    event('AccountRegistered', { userId, role: 'company', displayName: 'Somebody' }),
    event('NotificationPreferencesSet', { userId, preferences: { ...standardPreferences, team: chosen } }),
  ];
  const assigned = (assigneeId: UserId | null) => event('ThreadAssigned', { groupId: threadId, assigneeId });
  const asked = said(1, ada, 'When can I start?', threadId);

  /** Returns the ids of those who are told of the last event. */
  async function told(...history: DomainEvent[]): Promise<string[]> {
    const { told: recipients } = await toldAfter(jobPosted, ...team, ...history);
    if (Array.isArray(recipients)) return recipients.map(({ recipientId }) => recipientId);
    return [...(recipients?.members.keys() ?? [])];
  }

  test('are told of a message in a thread if they are owners, and it is assigned to nobody', async () =>
    expect(await told(...thread, asked)).toEqual([ada.userId, acme.userId, owner]));

  test('are told, of what is assigned to nobody, if they have chosen so', async () =>
    expect(await told(...thread, ...chooses(viewer, 'all'), ...chooses(owner, 'assigned'), asked)).toEqual([
      ...[ada.userId, acme.userId, viewer],
    ]));

  test('are not told of jobs that they have nothing to do with, whatever they have chosen', async () =>
    expect(await told(...thread, ...chooses(other, 'all'), ...chooses(interviewer, 'all'), asked)).toEqual([
      ...[ada.userId, acme.userId, owner],
    ]));

  test('are told of what is assigned to them, and nobody else is', async () =>
    expect(await told(...thread, assigned(interviewer), asked)).toEqual([ada.userId, interviewer]));

  test('are told again of what is assigned to somebody who may not read it any more', async () => {
    const gone = event('TeammateRemoved', { companyId: acme.userId, userId: interviewer });
    expect(await told(...thread, assigned(interviewer), gone, asked)).toEqual([
      ...[ada.userId, acme.userId, owner],
    ]);
  });

  test('are told as those are whom their role lets in, where they were added', async () => {
    const added = (id: GroupId) => event('MemberJoined', { groupId: id, userId: other, role: 'member' });
    expect(await told(teamCreated, added(groupId), said(1))).toContain(other);
    expect(await told(...thread, added(threadId), assigned(other), asked)).toEqual([ada.userId, other]);
    expect(await told(...thread, assigned(other), asked)).toEqual([ada.userId, acme.userId, owner]);
  });

  test('are told of a message in the room of their team', async () => {
    expect(await told(teamCreated, said(1))).toEqual([acme.userId, owner, recruiter, interviewer, viewer]);
  });

  test('are told of an application like of its thread', async () => {
    expect(await told(...chooses(recruiter, 'all'), adaApplied)).toEqual([acme.userId, owner, recruiter]);
    const before = [
      adaApplied,
      event('ApplicationAssigned', { ...subject, assigneeId: viewer }),
      adaWithdrew,
    ];
    expect(await told(...before, adaReturned)).toEqual([viewer]);
  });
});
