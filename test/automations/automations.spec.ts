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

/** What follows from an event: the command's name, its input, and who is said to give it. */
const following = (event: DomainEvent) =>
  automations
    .filter(({ on }) => on === event.type)
    .flatMap(({ follows }) => follows(event as Recorded) ?? [])
    .map(({ command, input, actor }) => [(command as { name: string }).name, input, actor]);

const hers = { groupId, userId: ada.userId };

describe('what follows', () => {
  test('a job posted creates its chat group, with the company as admin', () =>
    expect(following(jobPosted)).toStrictEqual([
      ['CreateChatGroup', { groupId, jobId, name: 'Engineer', adminId: acme.userId }, 'system'],
    ]));

  test('an application submitted adds the applicant', () =>
    expect(following(adaApplied)).toStrictEqual([['AddMember', hers, 'system']]));

  test('an application resubmitted or reconsidered adds the applicant', () => {
    expect(following(adaReturned)).toStrictEqual([['AddMember', hers, 'system']]);
    expect(following(adaReconsidered('offer'))).toStrictEqual([['AddMember', hers, 'system']]);
  });

  test('an application withdrawn lets the applicant leave, in its own name', () =>
    expect(following(adaWithdrew)).toStrictEqual([['RemoveMember', hers, ada]]));

  test('an application rejected removes the applicant', () =>
    expect(following(adaIs('rejected'))).toStrictEqual([['RemoveMember', hers, 'system']]));

  test.each(ReviewStatus.exclude(['rejected']).options)(
    'nothing follows from an application in %s',
    (status) => expect(following(adaIs(status))).toStrictEqual([]),
  );

  test('a job closed closes its group', () =>
    expect(following(jobClosed)).toStrictEqual([['CloseGroup', { groupId }, 'system']]));

  test.each([registered(ada), groupCreated, joined(ada), left(ada), removed(ada), groupClosed, helloSent])(
    'nothing follows from $type',
    (event) => expect(following(event)).toStrictEqual([]),
  );

  test('no two automations have one name', () =>
    expect(new Set(automations.map(({ name }) => name)).size).toBe(automations.length));
});
