import { closeJob } from '../../../src/commands/job/close-job.ts';
import {
  acme,
  ada,
  dismissed,
  hired,
  jobClosed,
  jobId,
  jobPosted,
  moved,
  otherJobId,
  rival,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

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

describe('closing a job', () => {
  test('its company closes it', () => given(jobPosted).as(acme).when(closeJob, { jobId }).then([jobClosed]));

  test('the system closes it, which follows from the act of an operator', () =>
    given(jobPosted).as('system').when(closeJob, { jobId }).then([jobClosed]));

  test('closing again changes nothing', () =>
    given(jobPosted, jobClosed).as(acme).when(closeJob, { jobId }).thenNothing());

  test('rejects the closing of a job that does not exist', () =>
    given().as(acme).when(closeJob, { jobId }).thenRejects('JOB_NOT_FOUND'));

  test.each([
    ['another company', rival],
    ['an applicant', ada],
  ])('rejects a closing by %s', (_, actor) =>
    given(jobPosted).as(actor).when(closeJob, { jobId }).thenRejects('NOT_JOB_OWNER'),
  );

  test.each(allowed)('is done by %s', (_, joins) =>
    given(jobPosted, ...joins)
      .as(rival)
      .when(closeJob, { jobId })
      .then([jobClosed]),
  );

  test.each(refused)('is not done by %s', (_, joins) =>
    given(jobPosted, ...joins)
      .as(rival)
      .when(closeJob, { jobId })
      .thenRejects('NOT_JOB_OWNER'),
  );

  test('is not done by the first owner with another role', () =>
    given(jobPosted, moved(acme, 'viewer')).as(acme).when(closeJob, { jobId }).thenRejects('NOT_JOB_OWNER'));

  test('a repetition is the same closing', () =>
    given(jobPosted).as(acme).when(closeJob, { jobId }).thenIdempotent());
});
