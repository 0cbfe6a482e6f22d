import { jobs } from '../../src/projections/jobs.ts';
import { acme, event, groupId, jobClosed, jobId, jobPosted } from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(jobs);
beforeAll(open);
afterAll(close);

const changed = (title: string) =>
  event('JobDetailsChanged', { jobId, title, description: 'Still engines', location: null });

describe('the jobs read model', () => {
  test('shows a job as posted', () =>
    given(jobPosted).then(
      'jobs',
      'job_id, group_id, company_id, title, location, status, posted_at, position',
      [
        {
          job_id: jobId,
          group_id: groupId,
          company_id: acme.userId,
          title: 'Engineer',
          location: 'London',
          status: 'open',
          posted_at: new Date(at(1)),
          position: 1,
        },
      ],
    ));

  test('shows the latest details, with the time of the posting', () =>
    given(jobPosted, changed('Senior engineer'), changed('Chief engineer')).then(
      'jobs',
      'title, description, location, position',
      [{ title: 'Chief engineer', description: 'Still engines', location: null, position: 1 }],
    ));

  test('finds a job by its current title, description and location', () =>
    given(jobPosted, changed('Senior C++ engineer')).then('jobs', 'terms::text', [
      { terms: "'c++':2 'engineer':3 'engines':5 'senior':1 'still':4" },
    ]));

  test('keeps a closed job', () =>
    given(jobPosted, changed('Senior engineer'), jobClosed).then('jobs', 'title, status', [
      { title: 'Senior engineer', status: 'closed' },
    ]));
});
