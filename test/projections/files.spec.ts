import { files } from '../../src/projections/files.ts';
import { deleted, messageNumber, said } from '../support/conversation.ts';
import {
  ada,
  event,
  fileId,
  fileRefused,
  groupId,
  otherGroupId,
  cleared,
  upload,
  uploadRequested,
  uploaded,
  uuid,
} from '../support/example-events.ts';
import { FileId } from '../../src/events/ids.ts';
import { at, recorded, stage } from '../support/projection.ts';

const { open, close, given } = stage(files);
beforeAll(open);
afterAll(close);

const second = FileId.parse(uuid(0x61));
const naming = (n: number, ...fileIds: FileId[]) => event('MessageSent', { ...said(n).data, fileIds });
const status = 'status, reason, has_thumbnail';
const attachments = 'file_id, message_id, group_id';

describe('the files read model', () => {
  test('shows a file as it was asked for', () =>
    given(uploadRequested).then(
      'files',
      'file_id, group_id, uploader_id, name, content_type, size, status, reason, has_thumbnail, requested_at, revision',
      [
        {
          file_id: fileId,
          group_id: groupId,
          uploader_id: ada.userId,
          name: upload.name,
          content_type: upload.contentType,
          size: upload.size,
          status: 'pending',
          reason: null,
          has_thumbnail: false,
          requested_at: new Date(at(1)),
          revision: 0,
        },
      ],
    ));

  test('keeps a name as it is', () =>
    given(event('FileUploadRequested', { ...uploadRequested.data, name: 'a "b", {c} \\ NULL 👩‍💻' })).then(
      'files',
      'name',
      [{ name: 'a "b", {c} \\ NULL 👩‍💻' }],
    ));

  test.each([
    ['scanning', [uploaded], { status: 'scanning', reason: null, has_thumbnail: false }],
    [
      'clean',
      [uploaded, event('FileCleared', { ...cleared.data, hasThumbnail: true })],
      { status: 'clean', reason: null, has_thumbnail: true },
    ],
    [
      'infected',
      [uploaded, fileRefused('infected', 'Eicar')],
      { status: 'infected', reason: 'infected', has_thumbnail: false },
    ],
    [
      'rejected',
      [uploaded, fileRefused('type-does-not-match')],
      { status: 'rejected', reason: 'type-does-not-match', has_thumbnail: false },
    ],
    [
      'rejected when nobody sent it',
      [uploaded, event('FileCleared', { ...cleared.data, hasThumbnail: true }), fileRefused('never-sent')],
      { status: 'rejected', reason: 'never-sent', has_thumbnail: false },
    ],
  ])('shows that a file is %s', (_, history, row) =>
    given(uploadRequested, ...history).then('files', status, [row]),
  );

  test('knows which messages name which files', () =>
    given(uploadRequested, naming(1, second, fileId), said(2), naming(3, fileId)).then(
      'attachments',
      `${attachments}, position`,
      [
        { file_id: fileId, message_id: messageNumber(1), group_id: groupId, position: 2 },
        { file_id: fileId, message_id: messageNumber(3), group_id: groupId, position: 4 },
        { file_id: second, message_id: messageNumber(1), group_id: groupId, position: 2 },
      ],
    ));

  test('a deleted message names nothing any more', () =>
    given(naming(1, fileId, second), naming(2, fileId), said(3), deleted(1), deleted(3)).then(
      'attachments',
      attachments,
      [{ file_id: fileId, message_id: messageNumber(2), group_id: groupId }],
    ));

  test('a deletion in another group changes nothing', () =>
    given(naming(1, fileId), deleted(1, otherGroupId)).then('attachments', attachments, [
      { file_id: fileId, message_id: messageNumber(1), group_id: groupId },
    ]));

  test('a message without files costs it nothing, whether it is told of it or not', () => {
    const [without, having] = recorded([said(1), naming(2, fileId)]) as Parameters<typeof files.project>[0];
    expect([files.concerns!(without!), files.concerns!(having!)]).toEqual([false, true]);
    expect(files.project([without!])).toEqual([]);
  });
});
