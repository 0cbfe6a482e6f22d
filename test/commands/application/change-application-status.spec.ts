import { changeApplicationStatus } from '../../../src/commands/application/change-application-status.ts';
import { ReviewStatus } from '../../../src/events/application.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaWithdrew,
  jobClosed,
  jobId,
  jobPosted,
  rival,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const to = (status: ReviewStatus) => ({ jobId, applicantId: ada.userId, status });
const applied = [jobPosted, adaApplied];

describe('deciding on an application', () => {
  test.each(ReviewStatus.options)('the company sets it to %s', (status) =>
    given(...applied)
      .as(acme)
      .when(changeApplicationStatus, to(status))
      .then([adaIs(status)]),
  );

  test('a reason may be given', () =>
    given(...applied)
      .as(acme)
      .when(changeApplicationStatus, { ...to('rejected'), reason: 'Filled' })
      .then([adaIs('rejected', 'Filled')]));

  test('the same status again changes nothing', () =>
    given(...applied, adaIs('offer'))
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenNothing());

  test('rejecting again changes nothing', () =>
    given(...applied, adaIs('rejected'))
      .as(acme)
      .when(changeApplicationStatus, to('rejected'))
      .thenNothing());

  test('a rejection may be taken back', () =>
    given(...applied, adaIs('rejected'))
      .as(acme)
      .when(changeApplicationStatus, { ...to('interview'), reason: 'Another look' })
      .then([adaReconsidered('interview', 'Another look')]));

  test('what was reconsidered may be rejected again', () =>
    given(...applied, adaIs('rejected'), adaReconsidered('offer'))
      .as(acme)
      .when(changeApplicationStatus, to('rejected'))
      .then([adaIs('rejected')]));

  test('every other status may still be corrected', () =>
    given(...applied, adaIs('hired'))
      .as(acme)
      .when(changeApplicationStatus, to('rejected'))
      .then([adaIs('rejected')]));

  test('a closed job still has its applications decided', () =>
    given(...applied, jobClosed)
      .as(acme)
      .when(changeApplicationStatus, to('hired'))
      .then([adaIs('hired')]));

  test('a withdrawn application is not decided', () =>
    given(...applied, adaWithdrew)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenRejects('APPLICATION_WITHDRAWN'));

  test('who never applied is not decided on', () =>
    given(jobPosted)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another company', rival],
    ['the applicant', ada],
    ['the system', 'system' as const],
  ])('%s does not decide', (_, actor) =>
    given(...applied)
      .as(actor)
      .when(changeApplicationStatus, to('hired'))
      .thenRejects('NOT_JOB_OWNER'),
  );

  test('a repetition is the same decision', () =>
    given(...applied)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenIdempotent());
});
