import { ReviewStatus } from '../../src/events/application.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import { automations } from '../../src/automations/automations.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  groupClosed,
  groupCreated,
  groupId,
  helloSent,
  jobClosed,
  jobId,
  jobPosted,
  joined,
  left,
  registered,
  removed,
} from '../support/language/example-events.ts';

/** Returns the commands that follow from an event: name, input and actor. */
const following = (event: DomainEvent) =>
  automations
    .filter(({ on }) => on === event.type)
    .flatMap(({ follows }) => follows(event as Recorded) ?? [])
    .map(({ command, input, actor }) => [(command as { name: string }).name, input, actor]);

const hers = { groupId, userId: ada.userId };

describe('the automations', () => {
  test('create the chat group of a posted job, with the company as admin', () =>
    expect(following(jobPosted)).toStrictEqual([
      ['CreateChatGroup', { groupId, jobId, name: 'Engineer', adminId: acme.userId }, 'system'],
    ]));

  test('add the applicant on submission', () =>
    expect(following(adaApplied)).toStrictEqual([['AddMember', hers, 'system']]));

  test('add the applicant on resubmission and reconsideration', () => {
    expect(following(adaReturned)).toStrictEqual([['AddMember', hers, 'system']]);
    expect(following(adaReconsidered('offer'))).toStrictEqual([['AddMember', hers, 'system']]);
  });

  test('let the applicant leave in its own name on withdrawal', () =>
    expect(following(adaWithdrew)).toStrictEqual([['RemoveMember', hers, ada]]));

  test('remove the applicant on rejection', () =>
    expect(following(adaIs('rejected'))).toStrictEqual([['RemoveMember', hers, 'system']]));

  test.each(ReviewStatus.exclude(['rejected']).options)('do nothing for an application in %s', (status) =>
    expect(following(adaIs(status))).toStrictEqual([]),
  );

  test('close the group of a closed job', () =>
    expect(following(jobClosed)).toStrictEqual([['CloseGroup', { groupId }, 'system']]));

  test.each([registered(ada), groupCreated, joined(ada), left(ada), removed(ada), groupClosed, helloSent])(
    'do nothing for $type',
    (event) => expect(following(event)).toStrictEqual([]),
  );

  test('have unique names', () =>
    expect(new Set(automations.map(({ name }) => name)).size).toBe(automations.length));
});
