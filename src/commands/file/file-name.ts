/** Line breaks and other controls would end a header. Bidi controls show `exe.pdf` where `fdp.exe` is written. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/** Windows drops trailing dots and spaces; a leading dot hides a file on Unix. */
const ENDS = /^[.\s]+|[.\s]+$/gu;

/**
 * Returns a name that a receiver can save a file under: the last part of a path of any system, without
 * invisible characters. If that leaves nothing, the name is `file`.
 */
export function safeFileName(name: string): string {
  const last = name.replaceAll(UNSEEN, '').split(/[/\\]/).at(-1)!;
  return last.replaceAll(ENDS, '') || 'file';
}
