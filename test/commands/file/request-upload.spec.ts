import { requestUpload } from '../../../src/commands/file/request-upload.ts';
import { commands } from '../../support/language/command-stage.ts';
import {
  acme,
  ada,
  event,
  eve,
  fileId,
  group,
  groupClosed,
  groupId,
  removed,
  upload,
  uploadRequested,
  uuid,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { name, contentType, size } = upload;
const asked = { fileId, groupId, name, contentType, size };
const sha256 = 'ab'.repeat(32);

describe('requesting an upload', () => {
  test('a member requests one, and has 23 hours to send the file', () =>
    given(...group)
      .as(ada)
      .when(requestUpload, asked)
      .then([uploadRequested]));

  test('an admin requests one', () =>
    given(...group)
      .as(acme)
      .when(requestUpload, asked)
      .then([event('FileUploadRequested', { ...uploadRequested.data, uploaderId: acme.userId })]));

  test('records the declared type without parameters, a safe name and a checksum', () =>
    given(...group)
      .as(ada)
      .when(requestUpload, {
        ...asked,
        name: '../cv\u202e.pdf',
        contentType: 'Application/PDF ; name="cv.exe"',
        sha256: sha256.toUpperCase(),
      })
      .then([event('FileUploadRequested', { ...uploadRequested.data, sha256 })]));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .when(requestUpload, asked)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an upload by a removed member', () =>
    given(...group, removed(ada))
      .as(ada)
      .when(requestUpload, asked)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an upload to a closed group', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(requestUpload, asked)
      .thenRejects('GROUP_CLOSED'));

  test('rejects an upload by the system', () =>
    given(...group)
      .as('system')
      .when(requestUpload, asked)
      .thenRejects('ROLE_NOT_ALLOWED'));

  test('a repetition is the same upload', () =>
    given(...group)
      .as(ada)
      .when(requestUpload, asked)
      .thenIdempotent());

  test('a repetition under another id, by a client that got no answer, is the same file', async () => {
    const { handle, log } = await commands({ history: group });
    const request = { actor: ada, correlationId: uuid(0xc0), key: 'the same key' };
    const first = await handle(requestUpload, requestUpload.input.parse(asked), request);
    const again = requestUpload.input.parse({ ...asked, fileId: uuid(0x61) });
    const second = await handle(requestUpload, again, request);
    expect(second.events).toStrictEqual(first.events);
    expect((await log()).filter(({ type }) => type === 'FileUploadRequested')).toHaveLength(1);
  });

  test.each([
    ['an empty file', { size: 0 }],
    ['a fractional size', { size: 1.5 }],
    ['an invalid type', { contentType: 'pdf' }],
    ['a type with a line break', { contentType: 'text/plain\r\nX-A: b' }],
    ['a checksum of other length', { sha256: 'ab' }],
    ['no name', { name: '' }],
    ['a name of 256 characters', { name: 'x'.repeat(256) }],
    ['a chosen uploader', { uploaderId: acme.userId }],
  ])('rejects %s', (_, fault) =>
    expect(requestUpload.input.safeParse({ ...asked, ...fault }).success).toBe(false),
  );
});
