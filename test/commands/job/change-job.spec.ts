import { changeJob } from '../../../src/commands/job/change-job.ts';
import {
  acme,
  dismissed,
  event,
  hired,
  jobClosed,
  jobId,
  jobPosted,
  moved,
  otherJobId,
  posting,
  rival,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const changed = (details: Partial<typeof posting> | { location: null }) =>
  event('JobDetailsChanged', { jobId, ...posting, ...details });

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

describe('changing a job', () => {
  test('records all details when one changes', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, title: 'Pilot' })
      .then([changed({ title: 'Pilot' })]));

  test('builds on the previous change', () =>
    given(jobPosted, changed({ title: 'Pilot' }))
      .as(acme)
      .when(changeJob, { jobId, description: 'Flies' })
      .then([changed({ title: 'Pilot', description: 'Flies' })]));

  test('accepts the removal of a location', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, location: null })
      .then([changed({ location: null })]));

  test('changes nothing when the details are the same', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, ...posting })
      .thenNothing());

  test('changes nothing without any detail', () =>
    given(jobPosted).as(acme).when(changeJob, { jobId }).thenNothing());

  test('rejects a change of a job that does not exist', () =>
    given().as(acme).when(changeJob, { jobId, title: 'Pilot' }).thenRejects('JOB_NOT_FOUND'));

  test('rejects a change by another company', () =>
    given(jobPosted).as(rival).when(changeJob, { jobId, title: 'Pilot' }).thenRejects('NOT_JOB_OWNER'));

  test('rejects a change of a closed job', () =>
    given(jobPosted, jobClosed)
      .as(acme)
      .when(changeJob, { jobId, title: 'Pilot' })
      .thenRejects('JOB_CLOSED'));

  test.each(allowed)('is done by %s', (_, joins) =>
    given(jobPosted, ...joins)
      .as(rival)
      .when(changeJob, { jobId, title: 'Pilot' })
      .then([changed({ title: 'Pilot' })]),
  );

  test.each(refused)('is not done by %s', (_, joins) =>
    given(jobPosted, ...joins)
      .as(rival)
      .when(changeJob, { jobId, title: 'Pilot' })
      .thenRejects('NOT_JOB_OWNER'),
  );

  test('is not done by the first owner with another role', () =>
    given(jobPosted, moved(acme, 'interviewer'))
      .as(acme)
      .when(changeJob, { jobId, title: 'Pilot' })
      .thenRejects('NOT_JOB_OWNER'));

  test('a repetition is the same change', () =>
    given(jobPosted).as(acme).when(changeJob, { jobId, title: 'Pilot' }).thenIdempotent());
});
