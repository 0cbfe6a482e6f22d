import { ContentType } from '../../src/events/file.ts';
import { isAllowedType, isArchiveType, isTextType, matchesType } from '../../src/files/content-types.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

test.each([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'application/pdf',
  'application/rtf',
  DOCX,
  'application/vnd.oasis.opendocument.spreadsheet',
  'text/plain',
  'text/csv',
  'text/markdown',
  'application/zip',
  'audio/mpeg',
  'video/mp4',
])('%s may be uploaded', (contentType) => {
  expect(isAllowedType(contentType)).toBe(true);
  expect(ContentType.safeParse(contentType).success).toBe(true);
});

test.each([
  'image/svg+xml',
  'text/html',
  'application/xhtml+xml',
  'application/xml',
  'text/xml',
  'text/javascript',
  'application/x-msdownload',
  'application/vnd.ms-word.document.macroenabled.12',
  'application/java-archive',
  'application/octet-stream',
  'TEXT/PLAIN',
  'text/plain; charset=utf-8',
  'constructor',
  '',
])('%p may not be uploaded', (contentType) => {
  expect(isAllowedType(contentType)).toBe(false);
});

test('bytes match the type that they are of, and no other', () => {
  expect(matchesType('image/png', 'image/png')).toBe(true);
  expect(matchesType('image/png', 'image/apng')).toBe(true);
  expect(matchesType('image/png', 'image/jpeg')).toBe(false);
  expect(matchesType(DOCX, 'application/zip')).toBe(false);
  expect(matchesType('application/zip', DOCX)).toBe(false);
  expect(matchesType('application/pdf', undefined)).toBe(false);
  expect(matchesType('text/html', 'text/html')).toBe(false);
});

test('office documents are archives, too, and text is none', () => {
  expect([DOCX, 'application/zip', 'application/x-zip-compressed'].map(isArchiveType)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['application/pdf', 'text/plain', 'image/png'].some(isArchiveType)).toBe(false);
  expect(['text/plain', 'text/csv', 'text/markdown'].every(isTextType)).toBe(true);
  expect(isTextType('text/rtf')).toBe(false);
});
