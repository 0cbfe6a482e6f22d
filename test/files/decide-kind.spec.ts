import { decideKind, nameFor } from '../../src/files/inspect/decide-kind.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const UNKNOWN = 'application/octet-stream';

describe('decideKind', () => {
  test.each([
    ['cv.csv', 'application/vnd.ms-excel', 'text/csv'],
    ['cv.csv', 'text/plain', 'text/csv'],
    ['cv.xls', 'application/vnd.ms-excel', 'application/vnd.ms-excel'],
    ['cv.doc', 'application/msword', 'application/msword'],
    ['cv.rtf', 'application/msword', 'application/rtf'],
    ['cv.docx', 'application/msword', DOCX],
    ['cv.DOCX', UNKNOWN, DOCX],
    ['cv.md', 'text/plain', 'text/markdown'],
    ['a.mp4', 'audio/mp4', 'audio/mp4'],
    ['a.mp4', UNKNOWN, 'video/mp4'],
    ['a.webm', 'audio/webm', 'audio/webm'],
    ['cv.pages', 'application/zip', 'application/vnd.apple.pages'],
  ])('gives %s declared as %s the type %s, and keeps its name', (name, contentType, decided) =>
    expect(decideKind({ name, contentType })).toEqual({ name, contentType: decided }),
  );

  test.each([
    ['cv', 'application/pdf', 'cv.pdf'],
    ['cv.2024', 'text/plain', 'cv.2024.txt'],
    ['cv.bat::$DATA', 'text/plain', 'cv.bat::$DATA.txt'],
    ['.pdf', 'application/pdf', '.pdf.pdf'],
    ['履歴書', 'image/jpg', '履歴書.jpg'],
  ])('gives %s declared as %s the name %s', (name, contentType, kept) =>
    expect(decideKind({ name, contentType })).toMatchObject({ name: kept }),
  );

  test('leaves the type to the bytes when name and declared type are unspecific', () =>
    expect(decideKind({ name: 'photo', contentType: 'application/x-download' })).toEqual({
      name: 'photo',
      contentType: UNKNOWN,
    }));

  test.each([
    'bat',
    'cmd',
    'js',
    'vbs',
    'ps1',
    'scr',
    'hta',
    'svg',
    'lnk',
    'html',
    'exe',
    'msi',
    'sh',
    'docm',
    'url',
  ])('refuses .%s, which runs on a double-click', (extension) => {
    for (const contentType of ['text/plain', UNKNOWN, 'application/pdf'])
      expect(decideKind({ name: `cv.${extension}`, contentType })).toMatchObject({ refused: 'not-allowed' });
  });

  test.each([
    ['cv.pdf', 'image/png', 'conflict'],
    ['cv.docx', 'text/plain', 'conflict'],
    ['cv.pdf', 'text/html', 'not-allowed'],
    ['cv.json', 'application/json', 'not-allowed'],
  ])('refuses %s declared as %s: %s', (name, contentType, refused) =>
    expect(decideKind({ name, contentType })).toMatchObject({ refused }),
  );
});

test('An extended name stays within the length limit', () => {
  const name = nameFor('🙂'.repeat(255), 'application/pdf');
  expect([...name]).toHaveLength(255);
  expect(name.endsWith('🙂.pdf')).toBe(true);
});
