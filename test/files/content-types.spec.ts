import { ContentType } from '../../src/events/file.ts';
import {
  allowedTypes,
  isAllowedType,
  isArchiveType,
  isTextType,
  matchesType,
} from '../../src/files/inspect/content-types.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const UNKNOWN = 'application/octet-stream';

test.each([
  ...['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/heic', 'image/avif', 'application/pdf'],
  ...['application/rtf', DOCX, 'application/vnd.oasis.opendocument.spreadsheet', 'application/msword'],
  ...['application/vnd.apple.pages', 'text/plain', 'text/csv', 'text/markdown', 'application/zip'],
  ...['audio/mpeg', 'video/mp4'],
])('Allows %s', (contentType) => {
  expect(isAllowedType(contentType)).toBe(true);
  expect(ContentType.safeParse(contentType).success).toBe(true);
});

test('Includes aliases that older files were declared with', () => {
  for (const contentType of ['text/rtf', 'application/x-zip-compressed', 'audio/x-m4a', 'audio/webm'])
    expect(allowedTypes).toContain(contentType);
});

test.each([
  ...[
    'image/svg+xml',
    'text/html',
    'application/xhtml+xml',
    'application/xml',
    'text/xml',
    'text/javascript',
  ],
  ...['application/x-msdownload', 'application/vnd.ms-word.document.macroenabled.12'],
  ...['application/java-archive', UNKNOWN, 'TEXT/PLAIN', 'text/plain; charset=utf-8', 'constructor', ''],
])('Does not allow %p', (contentType) => {
  expect(isAllowedType(contentType)).toBe(false);
});

test('Bytes match their own type and no other', () => {
  expect(matchesType('image/png', 'image/png')).toBe(true);
  expect(matchesType('image/png', 'image/apng')).toBe(true);
  expect(matchesType('image/png', 'image/jpeg')).toBe(false);
  expect(matchesType(DOCX, 'application/zip')).toBe(false);
  expect(matchesType('application/zip', DOCX)).toBe(false);
  expect(matchesType('application/pdf', undefined)).toBe(false);
  expect(matchesType('text/html', 'text/html')).toBe(false);
});

test('Office documents count as archives, text does not', () => {
  expect([DOCX, 'application/zip', 'application/x-zip-compressed'].map(isArchiveType)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['application/pdf', 'text/plain', 'image/png'].some(isArchiveType)).toBe(false);
  expect(['text/plain', 'text/csv', 'text/markdown'].every(isTextType)).toBe(true);
  expect(isTextType('text/rtf')).toBe(false);
});
