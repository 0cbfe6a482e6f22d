import { postJob } from '../../../src/commands/job/post-job.ts';
import {
  acme,
  ada,
  event,
  groupId,
  jobClosed,
  jobId,
  jobPosted,
  posting,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const job = { jobId, groupId, ...posting };
const { location: _, ...anywhere } = job;

describe('posting a job', () => {
  test('a company posts a job', () => given().as(acme).when(postJob, job).then([jobPosted]));

  test('the location is optional', () =>
    given()
      .as(acme)
      .when(postJob, anywhere)
      .then([event('JobPosted', { ...jobPosted.data, location: null })]));

  test('rejects a job posted by an applicant', () =>
    given().as(ada).when(postJob, job).thenRejects('ROLE_NOT_ALLOWED'));

  test.each(['auditor', 'admin'] as const)('rejects a job posted by an %s', (role) =>
    given()
      .as({ ...acme, role })
      .when(postJob, job)
      .thenRejects('ROLE_NOT_ALLOWED'),
  );

  test('rejects a job posted by the system', () =>
    given().as('system').when(postJob, job).thenRejects('ROLE_NOT_ALLOWED'));

  test('posting again changes nothing', () => given(jobPosted).as(acme).when(postJob, job).thenNothing());

  test('posting a closed job again changes nothing', () =>
    given(jobPosted, jobClosed).as(acme).when(postJob, job).thenNothing());

  test('a repetition is the same job', () => given().as(acme).when(postJob, job).thenIdempotent());

  test.each([
    ['no title', { title: '' }],
    ['a title of 201 characters', { title: 'x'.repeat(201) }],
    ['a description of 10,001 characters', { description: 'x'.repeat(10_001) }],
  ])('rejects %s', (_name, fault) =>
    expect(postJob.input.safeParse({ ...job, ...fault }).success).toBe(false),
  );
});
