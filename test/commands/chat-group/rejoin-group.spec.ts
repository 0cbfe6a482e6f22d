import { rejoinGroup } from '../../../src/commands/chat-group/rejoin-group.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaWithdrew,
  bob,
  group,
  groupClosed,
  groupId,
  jobId,
  jobPosted,
  joined,
  left,
  otherGroupId,
  removed,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const applied = [jobPosted, ...group, adaApplied];
const adaComes = { groupId, jobId, applicantId: ada.userId };

describe('coming back to the group of a job applied for', () => {
  test('an applicant who left comes back', () =>
    given(...applied, left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('changes nothing for a member', () =>
    given(...applied, joined(ada, 'admin'))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenNothing());

  test('the group may be closed by now: reading stays', () =>
    given(...applied, left(ada), groupClosed)
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('rejects a user whom an admin removed', () =>
    given(...applied, removed(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('REMOVED_FROM_GROUP'));

  test('whom an admin removed and brought back may leave and come back', () =>
    given(...applied, removed(ada), joined(ada), left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('who withdrew stays out', () =>
    given(...applied, adaWithdrew, left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('APPLICATION_WITHDRAWN'));

  test('who was rejected stays out', () =>
    given(...applied, adaIs('rejected'), removed(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('APPLICATION_DECIDED'));

  test('nobody comes back without an application', () =>
    given(jobPosted, ...group, left(bob))
      .as(bob)
      .when(rejoinGroup, { ...adaComes, applicantId: bob.userId })
      .thenRejects('APPLICATION_NOT_FOUND'));

  test('an application opens no other group', () =>
    given(...applied, left(ada))
      .as(ada)
      .when(rejoinGroup, { ...adaComes, groupId: otherGroupId })
      .thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another applicant', bob],
    ['the company', acme],
    ['the system', 'system' as const],
  ])('%s does not bring the applicant back', (_, actor) =>
    given(...applied, left(ada))
      .as(actor)
      .when(rejoinGroup, adaComes)
      .thenRejects('NOT_APPLICANT'),
  );

  test('a repetition is the same return', () =>
    given(...applied, left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenIdempotent());
});
