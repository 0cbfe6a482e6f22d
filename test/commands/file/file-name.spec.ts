import fc from 'fast-check';
import { safeFileName } from '../../../src/commands/file/file-name.ts';
import { FileName } from '../../../src/events/file.ts';

describe('the name of a file', () => {
  test.each([
    ['is kept as it is', 'Curriculum vitæ 履歴書 👩‍💻.pdf', 'Curriculum vitæ 履歴書 👩‍💻.pdf'],
    ['keeps quotes and percent signs, which do no harm', `a "b" 'c' 100%;.pdf`, `a "b" 'c' 100%;.pdf`],
    ['has no path of Unix', '../../etc/passwd', 'passwd'],
    ['has no path of Windows', 'C:\\Windows\\..\\calc.exe', 'calc.exe'],
    ['has no path behind a control', 'a\u202e/b', 'b'],
    ['starts no header of its own', 'cv.pdf\r\nSet-Cookie: a=b', 'cv.pdfSet-Cookie: a=b'],
    ['has no other line break', 'cv\u2028\u2029\u0085.pdf', 'cv.pdf'],
    ['does not turn its ending around', 'cv\u202efdp.exe', 'cvfdp.exe'],
    ['has no marks of direction', '\u200e\u200f\u061c\u202a\u202d\u2066\u2069cv.pdf', 'cv.pdf'],
    ['is not hidden', ' ..htaccess', 'htaccess'],
    ['does not end in dots and spaces, which Windows drops', 'cv.exe. . ', 'cv.exe'],
    ['is not empty', '...', 'file'],
    ['is not that of a folder', 'folder/', 'file'],
  ])('%s', (_, given, safe) => expect(safeFileName(given)).toBe(safe));

  test('is safe for any input', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 255 }), (name) => {
        if (!FileName.safeParse(name).success) return;
        const safe = safeFileName(name);
        expect(FileName.safeParse(safe).success).toBe(true);
        expect(safe).not.toMatch(/[/\\\p{Cc}\p{Bidi_Control}]|^[.\s]|[.\s]$/u);
        expect(safeFileName(safe)).toBe(safe);
      }),
      { numRuns: 2_000 },
    ));
});
