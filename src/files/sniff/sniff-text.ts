import type { Check } from './sniff-check.ts';

/** The binary data bytes of the WHATWG's MIME Sniffing Standard, section 3. */
const isBinary = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)),
);

type Order = 'little' | 'big';

/** Returns the byte order of UTF-16 from the mark at the start; undefined for text of eight bits. */
function markedOrder(head: Buffer): Order | undefined {
  if (head.length < 2) return undefined;
  const mark = head.readUInt16BE(0);
  if (mark === 0xfffe) return 'little';
  return mark === 0xfeff ? 'big' : undefined;
}

/**
 * Checks text. In UTF-8 or an older 8-bit encoding it has no binary data byte at all. Text that begins with
 * the mark of UTF-16 has none among its 2-byte units, and no half unit.
 */
export function createTextCheck() {
  let first: Buffer = Buffer.alloc(0);
  let order: Order | undefined;
  let size = 0;
  /** The first byte of the present unit. */
  let half = 0;
  let binary = false;

  function seeUnit(byte: number): void {
    if (size % 2 === 0) half = byte;
    else {
      const [high, low] = order === 'big' ? [half, byte] : [byte, half];
      binary = high === 0 && isBinary[low] === 1;
    }
  }

  function see(chunk: Buffer): void {
    if (order === undefined) {
      for (let at = 0; at < chunk.length && !binary; at += 1) binary = isBinary[chunk[at]!] === 1;
      return;
    }
    for (let at = 0; at < chunk.length && !binary; at += 1) {
      seeUnit(chunk[at]!);
      size += 1;
    }
  }

  return {
    see(chunk: Buffer): void {
      if (first.length >= 2) return see(chunk);
      first = Buffer.concat([first, chunk]);
      if (first.length < 2) return;
      order = markedOrder(first);
      see(first);
    },
    refusal(): 'type-does-not-match' | undefined {
      if (first.length < 2) see(first);
      return binary || (order !== undefined && size % 2 === 1) ? 'type-does-not-match' : undefined;
    },
  } satisfies Check;
}

/** Returns true if the first bytes may be text. */
export function looksLikeText(head: Buffer): boolean {
  const check = createTextCheck();
  check.see(markedOrder(head) === undefined ? head : head.subarray(0, head.length - (head.length % 2)));
  return check.refusal() === undefined;
}

/** Returns the first bytes as letters, without a mark and leading space. */
export function lettersOf(head: Buffer): string {
  const order = markedOrder(head);
  if (order === undefined)
    return head
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, '')
      .trimStart();
  return new TextDecoder(order === 'big' ? 'utf-16be' : 'utf-16le').decode(head).trimStart();
}

/**
 * Starts that browsers take for a page (section 7.1 of the standard) or a drawing, and starts of programs in
 * scripting languages.
 */
const PROGRAM = /^(#!|<[?%]|<(!doctype html|html|head|script|iframe|style|title|body|svg)([\s/>]|$))/i;
/** Starts that browsers take for a page as well, but that are valid in Markdown. */
const FRAGMENT = /^<(!--|(h1|div|font|table|a|b|br|p)([\s/>]|$))/i;

/** Returns true if bytes begin like a page, a drawing or a script and not like plain text. */
export function beginsLikeMarkup(head: Buffer, contentType: string): boolean {
  const text = lettersOf(head);
  if (contentType === 'text/markdown') return PROGRAM.test(afterComments(text));
  return PROGRAM.test(text) || FRAGMENT.test(text);
}

function afterComments(text: string): string {
  let rest = text;
  while (rest.startsWith('<!--')) {
    const end = rest.indexOf('-->');
    if (end < 0) return '';
    rest = rest.slice(end + 3).trimStart();
  }
  return rest;
}
