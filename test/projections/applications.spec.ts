import { applications } from '../../src/projections/applications.ts';
import {
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaWithdrew,
  applicationId,
  event,
  groupId,
  jobId,
  subject,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(applications);
beforeAll(open);
afterAll(close);

describe('the applications read model', () => {
  test('shows an application as submitted', () =>
    given(adaApplied).then(
      'applications',
      'application_id, job_id, group_id, applicant_id, status, reason, cover_letter, submitted_at, position',
      [
        {
          application_id: applicationId,
          job_id: jobId,
          group_id: groupId,
          applicant_id: ada.userId,
          status: 'submitted',
          reason: null,
          cover_letter: 'I build engines',
          submitted_at: new Date(at(1)),
          position: 1,
        },
      ],
    ));

  test('shows the latest status and its reason', () =>
    given(adaApplied, adaIs('interview', 'Tuesday'), adaIs('rejected', 'No')).then(
      'applications',
      'status, reason',
      [{ status: 'rejected', reason: 'No' }],
    ));

  test('shows a resubmitted application with its latest letter', () =>
    given(
      adaApplied,
      adaWithdrew,
      event('ApplicationResubmitted', { ...subject, coverLetter: 'Still here' }),
    ).then('applications', 'status, reason, cover_letter, submitted_at', [
      { status: 'submitted', reason: null, cover_letter: 'Still here', submitted_at: new Date(at(1)) },
    ]));

  test('shows a reversed rejection', () =>
    given(adaApplied, adaIs('rejected', 'No'), adaReconsidered('offer', 'Yes')).then(
      'applications',
      'status, reason',
      [{ status: 'offer', reason: 'Yes' }],
    ));

  test('shows a withdrawal without a reason', () =>
    given(adaApplied, adaIs('interview', 'Tuesday'), adaWithdrew).then('applications', 'status, reason', [
      { status: 'withdrawn', reason: null },
    ]));
});
