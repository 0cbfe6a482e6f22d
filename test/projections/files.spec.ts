import { files } from '../../src/projections/files.ts';
import {
  ada,
  event,
  fileId,
  fileRefused,
  groupId,
  cleared,
  upload,
  uploadRequested,
  uploaded,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(files);
beforeAll(open);
afterAll(close);

const found = { contentType: 'image/jpeg', name: 'cv.jpg' };
const status = 'status, reason, has_thumbnail';

describe('the files read model', () => {
  test('shows a file as requested', () =>
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

  test('keeps a name unchanged', () =>
    given(event('FileUploadRequested', { ...uploadRequested.data, name: 'a "b", {c} \\ NULL 👩‍💻' })).then(
      'files',
      'name',
      [{ name: 'a "b", {c} \\ NULL 👩‍💻' }],
    ));

  test.each([
    ['clean', []],
    ['removed again', [fileRefused('never-sent')]],
  ])('records the findings about a file that is %s', (_, after) =>
    given(uploadRequested, uploaded, event('FileCleared', { ...cleared.data, ...found }), ...after).then(
      'files',
      'name, content_type',
      [{ name: found.name, content_type: found.contentType }],
    ),
  );

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
      'rejected when it was never sent',
      [uploaded, event('FileCleared', { ...cleared.data, hasThumbnail: true }), fileRefused('never-sent')],
      { status: 'rejected', reason: 'never-sent', has_thumbnail: false },
    ],
  ])('shows that a file is %s', (_, history, row) =>
    given(uploadRequested, ...history).then('files', status, [row]),
  );
});
