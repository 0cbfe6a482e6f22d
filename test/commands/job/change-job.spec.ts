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
  test('one detail changes, the event carries them all', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, title: 'Pilot' })
      .then([changed({ title: 'Pilot' })]));

  test('a change builds on the change before', () =>
    given(jobPosted, changed({ title: 'Pilot' }))
      .as(acme)
      .when(changeJob, { jobId, description: 'Flies' })
      .then([changed({ title: 'Pilot', description: 'Flies' })]));

  test('a location may be taken back', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, location: null })
      .then([changed({ location: null })]));

  test('the same details again change nothing', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, ...posting })
      .thenNothing());

  test('without any detail nothing changes', () =>
    given(jobPosted).as(acme).when(changeJob, { jobId }).thenNothing());

  test('a job that was never posted is not found', () =>
    given().as(acme).when(changeJob, { jobId, title: 'Pilot' }).thenRejects('JOB_NOT_FOUND'));

  test('another company may not change it', () =>
    given(jobPosted).as(rival).when(changeJob, { jobId, title: 'Pilot' }).thenRejects('NOT_JOB_OWNER'));

  test('a closed job stays as it is', () =>
    given(jobPosted, jobClosed)
      .as(acme)
      .when(changeJob, { jobId, title: 'Pilot' })
      .thenRejects('JOB_CLOSED'));

  test('a repetition is the same change', () =>
    given(jobPosted).as(acme).when(changeJob, { jobId, title: 'Pilot' }).thenIdempotent());
});
