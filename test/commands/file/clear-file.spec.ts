import { clearFile } from '../../../src/commands/file/clear-file.ts';
import {
  ada,
  cleared,
  event,
  fileId,
  fileRefused,
  uploadRequested,
  uploaded,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { sha256 } = cleared.data;
const checked = { fileId, etag: 'first', sha256, hasThumbnail: false };

describe('clearing a file', () => {
  test('clears the inspected bytes', () =>
    given(uploadRequested, uploaded).as('system').when(clearFile, checked).then([cleared]));

  test('records whether there is a thumbnail', () =>
    given(uploadRequested, uploaded)
      .as('system')
      .when(clearFile, { ...checked, hasThumbnail: true })
      .then([event('FileCleared', { ...cleared.data, hasThumbnail: true })]));

  test('rejects other bytes than the inspected ones', () =>
    given(uploadRequested, uploaded)
      .as('system')
      .when(clearFile, { ...checked, etag: 'second' })
      .thenRejects('FILE_REFUSED'));

  test('clearing again changes nothing', () =>
    given(uploadRequested, uploaded, cleared).as('system').when(clearFile, checked).thenNothing());

  test('rejects the clearing of a refused file', () =>
    given(uploadRequested, uploaded, fileRefused('infected', 'Eicar'))
      .as('system')
      .when(clearFile, checked)
      .thenRejects('FILE_REFUSED'));

  test('rejects the clearing of an incomplete file', () =>
    given(uploadRequested).as('system').when(clearFile, checked).thenRejects('FILE_NOT_UPLOADED'));

  test('rejects the clearing of a file that does not exist', () =>
    given().as('system').when(clearFile, checked).thenRejects('FILE_NOT_FOUND'));

  test('rejects a clearance by a user, the uploader included', () =>
    given(uploadRequested, uploaded).as(ada).when(clearFile, checked).thenRejects('ROLE_NOT_ALLOWED'));
});
