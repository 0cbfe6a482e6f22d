import { closeJob } from '../../../src/commands/job/close-job.ts';
import { acme, ada, jobClosed, jobId, jobPosted, rival } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

describe('closing a job', () => {
  test('its company closes it', () => given(jobPosted).as(acme).when(closeJob, { jobId }).then([jobClosed]));

  test('closing again changes nothing', () =>
    given(jobPosted, jobClosed).as(acme).when(closeJob, { jobId }).thenNothing());

  test('rejects the closing of a job that does not exist', () =>
    given().as(acme).when(closeJob, { jobId }).thenRejects('JOB_NOT_FOUND'));

  test.each([
    ['another company', rival],
    ['an applicant', ada],
    ['the system', 'system' as const],
  ])('rejects a closing by %s', (_, actor) =>
    given(jobPosted).as(actor).when(closeJob, { jobId }).thenRejects('NOT_JOB_OWNER'),
  );

  test('a repetition is the same closing', () =>
    given(jobPosted).as(acme).when(closeJob, { jobId }).thenIdempotent());
});
