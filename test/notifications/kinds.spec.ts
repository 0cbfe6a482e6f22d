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

/** Whom the last event of a history tells, as far as that is known without a look at the group. */
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

describe('who is told of an application', () => {
  test.each([adaApplied, adaReturned])('the company that owns the job: $type', async (applied) => {
    const { event, told } = await toldAfter(jobPosted, applied);
    expect(told).toEqual([
      { ...about, eventId: event.id, recipientId: acme.userId, kind: 'application-submitted', position: 2 },
    ]);
  });

  test('no recipient when there is no job', async () =>
    expect((await toldAfter(adaApplied)).told).toEqual([]));

  test.each([adaIs('interview'), adaReconsidered('offer')])(
    'the applicant, of a new status: $type',
    async (changed) => {
      const { event, told } = await toldAfter(jobPosted, adaApplied, changed);
      expect(told).toEqual([
        { ...about, eventId: event.id, recipientId: ada.userId, kind: 'application-status', position: 3 },
      ]);
    },
  );
});

test('a message of no group tells nobody', async () => expect((await toldAfter(said(1))).told).toEqual([]));

test.each([adaWithdrew, left(ada)])('$type tells nobody', async (event) =>
  expect((await toldAfter(event)).told).toBeUndefined(),
);

test('every kind tells of some event', () =>
  expect(new Set(Object.values(kindByEvent))).toEqual(new Set([undefined, ...kindNames])));
