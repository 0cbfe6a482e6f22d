import { changeApplicationStatus } from '../../../src/commands/application/change-application-status.ts';
import { ReviewStatus } from '../../../src/events/application.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaWithdrew,
  dismissed,
  event,
  hired,
  jobClosed,
  jobId,
  jobPosted,
  moved,
  otherJobId,
  rival,
  subject,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const to = (status: ReviewStatus) => ({ jobId, applicantId: ada.userId, status });
const applied = [jobPosted, adaApplied];

/** What the people of the company may do about the job. */
const allowed = [
  ['another owner', [hired(rival, 'owner')]],
  ['a recruiter of all jobs', [hired(rival, 'recruiter')]],
  ['a recruiter of the job', [hired(rival, 'recruiter', [jobId])]],
] as const;
const refused = [
  ['a recruiter of another job', [hired(rival, 'recruiter', [otherJobId])]],
  ['an interviewer', [hired(rival, 'interviewer')]],
  ['a viewer', [hired(rival, 'viewer')]],
  ['a former owner', [hired(rival, 'owner'), dismissed(rival)]],
] as const;

describe('deciding on an application', () => {
  test.each(ReviewStatus.options)('the company sets the status %s', (status) =>
    given(...applied)
      .as(acme)
      .when(changeApplicationStatus, to(status))
      .then([adaIs(status)]),
  );

  test('accepts a reason', () =>
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

  test('a rejection may be reversed', () =>
    given(...applied, adaIs('rejected'))
      .as(acme)
      .when(changeApplicationStatus, { ...to('interview'), reason: 'Another look' })
      .then([adaReconsidered('interview', 'Another look')]));

  test('a reconsidered application may be rejected again', () =>
    given(...applied, adaIs('rejected'), adaReconsidered('offer'))
      .as(acme)
      .when(changeApplicationStatus, to('rejected'))
      .then([adaIs('rejected')]));

  test('every other status may still be corrected', () =>
    given(...applied, adaIs('hired'))
      .as(acme)
      .when(changeApplicationStatus, to('rejected'))
      .then([adaIs('rejected')]));

  test('applications for a closed job can still be decided', () =>
    given(...applied, jobClosed)
      .as(acme)
      .when(changeApplicationStatus, to('hired'))
      .then([adaIs('hired')]));

  test('rejects a decision on a withdrawn application', () =>
    given(...applied, adaWithdrew)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenRejects('APPLICATION_WITHDRAWN'));

  test('rejects a decision on an application that does not exist', () =>
    given(jobPosted)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another company', rival],
    ['the applicant', ada],
    ['the system', 'system' as const],
  ])('rejects a decision by %s', (_, actor) =>
    given(...applied)
      .as(actor)
      .when(changeApplicationStatus, to('hired'))
      .thenRejects('NOT_JOB_OWNER'),
  );

  test.each(allowed)('is done by %s', (_, joins) =>
    given(...applied, ...joins)
      .as(rival)
      .when(changeApplicationStatus, to('hired'))
      .then([adaIs('hired')]),
  );

  test.each(refused)('is not done by %s, even if it is assigned to them', (_, joins) =>
    given(...applied, ...joins, event('ApplicationAssigned', { ...subject, assigneeId: rival.userId }))
      .as(rival)
      .when(changeApplicationStatus, to('hired'))
      .thenRejects('NOT_JOB_OWNER'),
  );

  test('is not done by the first owner with another role', () =>
    given(...applied, moved(acme, 'interviewer'))
      .as(acme)
      .when(changeApplicationStatus, to('hired'))
      .thenRejects('NOT_JOB_OWNER'));

  test('a repetition is the same decision', () =>
    given(...applied)
      .as(acme)
      .when(changeApplicationStatus, to('offer'))
      .thenIdempotent());
});
