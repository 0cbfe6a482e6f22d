import { postJob } from '../../../src/commands/job/post-job.ts';
import {
  acme,
  ada,
  dismissed,
  event,
  groupId,
  hired,
  interviewer,
  jobClosed,
  jobId,
  jobPosted,
  moved,
  posting,
  recruiter,
  rival,
  viewer,
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

  const { userId: companyId } = acme;
  const by = ({ userId: postedBy }: typeof acme) => event('JobPosted', { ...jobPosted.data, postedBy });

  test.each([
    ['another owner', rival, hired(rival, 'owner')],
    ['a recruiter of all jobs', recruiter, hired(recruiter, 'recruiter')],
  ])('%s posts a job of the company', (_, actor, joins) =>
    given(joins)
      .as(actor)
      .when(postJob, { ...job, companyId })
      .then([by(actor)]),
  );

  test('the first owner, who names the company, posts the same job', () =>
    given()
      .as(acme)
      .when(postJob, { ...job, companyId })
      .then([jobPosted]));

  test.each([
    ['a recruiter who is limited to some jobs', recruiter, [hired(recruiter, 'recruiter', [jobId])]],
    ['an interviewer', interviewer, [hired(interviewer, 'interviewer')]],
    ['a viewer', viewer, [hired(viewer, 'viewer')]],
    ['a former owner', rival, [hired(rival, 'owner'), dismissed(rival)]],
    ['the first owner, now a viewer', acme, [hired(rival, 'owner'), moved(acme, 'viewer')]],
    ['another company', rival, []],
  ])('rejects a job of the company posted by %s', (_, actor, history) =>
    given(...history)
      .as(actor)
      .when(postJob, { ...job, companyId })
      .thenRejects('ROLE_NOT_ALLOWED'),
  );

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
