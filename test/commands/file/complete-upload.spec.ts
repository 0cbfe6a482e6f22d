import { completeUpload } from '../../../src/commands/file/complete-upload.ts';
import {
  acme,
  ada,
  bob,
  cleared,
  event,
  fileId,
  fileRefused,
  group,
  uploadRequested,
  uploaded,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const etag = 'first';

describe('completing an upload', () => {
  test('the uploader completes it', () =>
    given(uploadRequested).as(ada).when(completeUpload, { fileId, etag }).then([uploaded]));

  test('the system completes it for a scanner that has seen the bytes', () =>
    given(uploadRequested).as('system').when(completeUpload, { fileId, etag }).then([uploaded]));

  test.each([
    ['another member', bob],
    ['an admin', acme],
  ])('hides the file from %s', (_, actor) =>
    given(...group, uploadRequested)
      .as(actor)
      .when(completeUpload, { fileId, etag })
      .thenRejects('FILE_NOT_FOUND'),
  );

  test('rejects the completion of a file that does not exist', () =>
    given().as(ada).when(completeUpload, { fileId, etag }).thenRejects('FILE_NOT_FOUND'));

  test.each([
    ['is scanned', [uploaded]],
    ['is clean', [uploaded, cleared]],
    ['was refused', [uploaded, fileRefused('infected', 'Eicar')]],
    ['was abandoned', [fileRefused('never-completed')]],
  ])('changes nothing about a file that %s, whatever its bytes are now', (_, history) =>
    given(uploadRequested, ...history)
      .as(ada)
      .when(completeUpload, { fileId, etag: 'second' })
      .thenNothing(),
  );

  test('records the version of the bytes', () =>
    given(uploadRequested)
      .as(ada)
      .when(completeUpload, { fileId, etag: '"d41d8cd98f00b204e9800998ecf8427e-1"' })
      .then([event('FileUploaded', { ...uploaded.data, etag: '"d41d8cd98f00b204e9800998ecf8427e-1"' })]));

  test('a repetition is the same completion', () =>
    given(uploadRequested).as(ada).when(completeUpload, { fileId, etag }).thenIdempotent());
});
