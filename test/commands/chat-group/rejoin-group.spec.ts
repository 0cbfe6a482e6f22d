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

describe('rejoining the group of an application', () => {
  test('an applicant who left rejoins', () =>
    given(...applied, left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('changes nothing for a member', () =>
    given(...applied, joined(ada, 'admin'))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenNothing());

  test('a closed group may be rejoined for reading', () =>
    given(...applied, left(ada), groupClosed)
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('rejects a user whom an admin removed', () =>
    given(...applied, removed(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('REMOVED_FROM_GROUP'));

  test('a user removed and readmitted by an admin may leave and rejoin', () =>
    given(...applied, removed(ada), joined(ada), left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .then([joined(ada)]));

  test('rejects an applicant who withdrew', () =>
    given(...applied, adaWithdrew, left(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('APPLICATION_WITHDRAWN'));

  test('rejects an applicant who was rejected', () =>
    given(...applied, adaIs('rejected'), removed(ada))
      .as(ada)
      .when(rejoinGroup, adaComes)
      .thenRejects('APPLICATION_DECIDED'));

  test('rejects a user without an application', () =>
    given(jobPosted, ...group, left(bob))
      .as(bob)
      .when(rejoinGroup, { ...adaComes, applicantId: bob.userId })
      .thenRejects('APPLICATION_NOT_FOUND'));

  test('rejects an application for another group', () =>
    given(...applied, left(ada))
      .as(ada)
      .when(rejoinGroup, { ...adaComes, groupId: otherGroupId })
      .thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another applicant', bob],
    ['the company', acme],
    ['the system', 'system' as const],
  ])('rejects a return caused by %s', (_, actor) =>
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
