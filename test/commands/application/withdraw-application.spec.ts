import { withdrawApplication } from '../../../src/commands/application/withdraw-application.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaWithdrew,
  bob,
  jobId,
  jobPosted,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const hers = { jobId, applicantId: ada.userId };

describe('withdrawing an application', () => {
  test('the applicant withdraws', () =>
    given(jobPosted, adaApplied).as(ada).when(withdrawApplication, hers).then([adaWithdrew]));

  test.each(['screening', 'interview', 'offer'] as const)('the applicant withdraws while in %s', (status) =>
    given(jobPosted, adaApplied, adaIs(status)).as(ada).when(withdrawApplication, hers).then([adaWithdrew]),
  );

  test('withdrawing again changes nothing', () =>
    given(jobPosted, adaApplied, adaWithdrew).as(ada).when(withdrawApplication, hers).thenNothing());

  test.each(['hired', 'rejected'] as const)('rejects a withdrawal of an applicant who is %s', (status) =>
    given(jobPosted, adaApplied, adaIs(status))
      .as(ada)
      .when(withdrawApplication, hers)
      .thenRejects('APPLICATION_DECIDED'),
  );

  test('rejects a withdrawal without an application', () =>
    given(jobPosted).as(ada).when(withdrawApplication, hers).thenRejects('APPLICATION_NOT_FOUND'));

  test.each([
    ['another applicant', bob],
    ['the company', acme],
    ['the system', 'system' as const],
  ])('rejects a withdrawal by %s', (_, actor) =>
    given(jobPosted, adaApplied).as(actor).when(withdrawApplication, hers).thenRejects('NOT_APPLICANT'),
  );

  test('a repetition is the same withdrawal', () =>
    given(jobPosted, adaApplied).as(ada).when(withdrawApplication, hers).thenIdempotent());
});
