import { changeJob } from '../../../src/commands/job/change-job.ts';
import {
  acme,
  event,
  jobClosed,
  jobId,
  jobPosted,
  posting,
  rival,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const changed = (details: Partial<typeof posting> | { location: null }) =>
  event('JobDetailsChanged', { jobId, ...posting, ...details });

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

  test('a repetition is the same change', () =>
    given(jobPosted).as(acme).when(changeJob, { jobId, title: 'Pilot' }).thenIdempotent());
});
