import { resubmitApplication } from '../../../src/commands/application/resubmit-application.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReturned,
  adaWithdrew,
  bob,
  groupCreated,
  groupId,
  jobClosed,
  jobId,
  jobPosted,
  joined,
  left,
  otherGroupId,
  removed,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const hers = { groupId, jobId, applicantId: ada.userId, coverLetter: 'I build engines' };
const withdrawn = [jobPosted, groupCreated, adaApplied, joined(ada), adaWithdrew, left(ada)] as const;

describe('applying again after a withdrawal', () => {
  test('brings the application back under its id, with the new letter', () =>
    given(...withdrawn)
      .as(ada)
      .when(resubmitApplication, hers)
      .then([adaReturned]));

  test('is possible after each withdrawal', () =>
    given(...withdrawn, adaReturned, adaWithdrew)
      .as(ada)
      .when(resubmitApplication, hers)
      .then([adaReturned]));

  test('changes nothing about an active application', () =>
    given(...withdrawn, adaReturned)
      .as(ada)
      .when(resubmitApplication, hers)
      .thenNothing());

  test('is rejected once the job is closed', () =>
    given(...withdrawn, jobClosed)
      .as(ada)
      .when(resubmitApplication, hers)
      .thenRejects('JOB_CLOSED'));

  test('does not readmit a user whom an admin removed', () =>
    given(jobPosted, groupCreated, adaApplied, joined(ada), removed(ada), adaWithdrew)
      .as(ada)
      .when(resubmitApplication, hers)
      .thenRejects('REMOVED_FROM_GROUP'));

  test('changes nothing about a rejection', () =>
    given(jobPosted, groupCreated, adaApplied, adaIs('rejected'))
      .as(ada)
      .when(resubmitApplication, hers)
      .thenNothing());

  test('requires an application to this group', () =>
    given(...withdrawn)
      .as(ada)
      .when(resubmitApplication, { ...hers, groupId: otherGroupId })
      .thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another applicant', bob],
    ['the company', acme],
  ])('is rejected for %s', (_, actor) =>
    given(...withdrawn)
      .as(actor)
      .when(resubmitApplication, hers)
      .thenRejects('NOT_APPLICANT'),
  );
});
