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
  test('the bytes that were inspected are cleared', () =>
    given(uploadRequested, uploaded).as('system').when(clearFile, checked).then([cleared]));

  test('whether there is a thumbnail is kept', () =>
    given(uploadRequested, uploaded)
      .as('system')
      .when(clearFile, { ...checked, hasThumbnail: true })
      .then([event('FileCleared', { ...cleared.data, hasThumbnail: true })]));

  test('other bytes than those that were inspected are not', () =>
    given(uploadRequested, uploaded)
      .as('system')
      .when(clearFile, { ...checked, etag: 'second' })
      .thenRejects('FILE_REFUSED'));

  test('a file that is clean stays it', () =>
    given(uploadRequested, uploaded, cleared).as('system').when(clearFile, checked).thenNothing());

  test('a refused file is never cleared', () =>
    given(uploadRequested, uploaded, fileRefused('infected', 'Eicar'))
      .as('system')
      .when(clearFile, checked)
      .thenRejects('FILE_REFUSED'));

  test('a file that is not complete is not cleared', () =>
    given(uploadRequested).as('system').when(clearFile, checked).thenRejects('FILE_NOT_UPLOADED'));

  test('a file that is not there is not cleared', () =>
    given().as('system').when(clearFile, checked).thenRejects('FILE_NOT_FOUND'));

  test('rejects a clearance by a user, the uploader included', () =>
    given(uploadRequested, uploaded).as(ada).when(clearFile, checked).thenRejects('ROLE_NOT_ALLOWED'));
});
