import { jobOf } from '../../src/commands/job/job.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
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
  groupId,
  jobId,
  jobPosted,
  left,
} from '../support/language/example-events.ts';
import { recorded } from '../support/language/projection.ts';

const { aggregate } = jobOf(jobId);

/** Returns the recipients of the last event of a history, as far as known without the group. */
async function toldAfter(...history: DomainEvent[]) {
  const events = recorded(history);
  const job = events
    .filter(({ stream }) => stream === jobOf(jobId).stream)
    .reduce((so, event) => aggregate.evolve(so, event as never), aggregate.initial);
  const nowhere = { state: { status: 'none' }, revision: -1, position: 0, latest: new Map() } as const;
  const deciding = { jobOf: async () => job, groupOf: async () => nowhere };
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
