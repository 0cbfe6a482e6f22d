/** Line breaks and other controls would end a header; bidi controls show `exe.pdf` where `fdp.exe` is written. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/** Windows drops them at the end; a leading dot hides a file on Unix. */
const ENDS = /^[.\s]+|[.\s]+$/gu;

/**
 * A name that a receiver can save a file under: the last part of a path of any system, without what is not seen, and
 * never empty. It is never longer than what was given.
 */
export function safeFileName(name: string): string {
  const last = name.replaceAll(UNSEEN, '').split(/[/\\]/).at(-1)!;
  return last.replaceAll(ENDS, '') || 'file';
}
