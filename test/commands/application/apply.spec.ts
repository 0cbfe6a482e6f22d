import { apply } from '../../../src/commands/application/apply.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaWithdrew,
  applicationId,
  event,
  jobClosed,
  jobId,
  jobPosted,
  uuid,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const application = { applicationId, jobId, applicantId: ada.userId, coverLetter: 'I build engines' };
const { coverLetter: _, ...withoutLetter } = application;

describe('applying for a job', () => {
  test('an applicant applies for an open job', () =>
    given(jobPosted).as(ada).when(apply, application).then([adaApplied]));

  test('a cover letter is optional', () =>
    given(jobPosted)
      .as(ada)
      .when(apply, withoutLetter)
      .then([event('ApplicationSubmitted', { ...adaApplied.data, coverLetter: null })]));

  test('applying twice changes nothing, even under a new id', () =>
    given(jobPosted, adaApplied)
      .as(ada)
      .when(apply, { ...application, applicationId: uuid(0x31) })
      .thenNothing());

  test('applying again during the review changes nothing', () =>
    given(jobPosted, adaApplied, adaIs('interview')).as(ada).when(apply, application).thenNothing());

  test('applying again after the job was closed changes nothing', () =>
    given(jobPosted, adaApplied, jobClosed).as(ada).when(apply, application).thenNothing());

  test('rejects an application for a closed job', () =>
    given(jobPosted, jobClosed).as(ada).when(apply, application).thenRejects('JOB_CLOSED'));

  test('applying again after a withdrawal changes nothing', () =>
    given(jobPosted, adaApplied, adaWithdrew).as(ada).when(apply, application).thenNothing());

  test('rejects an application for a job that does not exist', () =>
    given().as(ada).when(apply, application).thenRejects('JOB_NOT_FOUND'));

  test.each([
    ['a company', acme],
    ['the system', 'system' as const],
    ['an auditor', { ...ada, role: 'auditor' as const }],
  ])('rejects an application by %s', (_name, actor) =>
    given(jobPosted).as(actor).when(apply, application).thenRejects('ROLE_NOT_ALLOWED'),
  );

  test('a repetition is the same application', () =>
    given(jobPosted).as(ada).when(apply, application).thenIdempotent());
});
