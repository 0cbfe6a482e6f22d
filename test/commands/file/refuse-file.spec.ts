import { refuseFile } from '../../../src/commands/file/refuse-file.ts';
import { RefusalReason } from '../../../src/events/file.ts';
import {
  ada,
  cleared,
  fileId,
  fileRefused,
  uploadRequested,
  uploaded,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const infected = { fileId, reason: 'infected', signature: 'Eicar' } as const;
const because = (reason: RefusalReason) => ({ fileId, reason, signature: null });
const lateReasons: RefusalReason[] = ['never-sent', 'erased'];
const otherReasons = RefusalReason.options.filter((reason) => !lateReasons.includes(reason));

describe('refusing a file', () => {
  test('records the finding', () =>
    given(uploadRequested, uploaded)
      .as('system')
      .when(refuseFile, infected)
      .then([fileRefused('infected', 'Eicar')]));

  test('refuses an upload that was never completed', () =>
    given(uploadRequested)
      .as('system')
      .when(refuseFile, because('never-completed'))
      .then([fileRefused('never-completed')]));

  test.each(lateReasons)('refuses a clean file that is %s', (reason) =>
    given(uploadRequested, uploaded, cleared)
      .as('system')
      .when(refuseFile, because(reason))
      .then([fileRefused(reason)]),
  );

  test.each(otherReasons)('rejects the refusal of a clean file as %s', (reason) =>
    given(uploadRequested, uploaded, cleared)
      .as('system')
      .when(refuseFile, because(reason))
      .thenRejects('FILE_CLEARED'),
  );

  test('keeps the first refusal', () =>
    given(uploadRequested, uploaded, fileRefused('encrypted'))
      .as('system')
      .when(refuseFile, infected)
      .thenNothing());

  test('rejects the refusal of a file that does not exist', () =>
    given().as('system').when(refuseFile, infected).thenRejects('FILE_NOT_FOUND'));

  test('rejects a refusal by a user', () =>
    given(uploadRequested, uploaded).as(ada).when(refuseFile, infected).thenRejects('ROLE_NOT_ALLOWED'));
});
