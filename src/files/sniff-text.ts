import type { Check } from './sniff-check.ts';

/** The binary data bytes of the WHATWG's MIME Sniffing Standard, section 3. */
const isBinary = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)),
);

/** Text, in UTF-8 or an older encoding of eight bits, has no binary data byte from its first byte to its last. */
export function createTextCheck(): Check {
  let binary = false;
  return {
    see(chunk) {
      for (let at = 0; at < chunk.length && !binary; at += 1) binary = isBinary[chunk[at]!] === 1;
    },
    refusal: () => (binary ? 'type-does-not-match' : undefined),
  };
}

/** What browsers take for a page (section 7.1 of the standard) or a drawing, and languages that are run. */
const PROGRAM = /^(#!|<[?%]|<(!doctype html|html|head|script|iframe|style|title|body|svg)([\s/>]|$))/i;
/** What browsers take for a page as well, but Markdown may well begin with. */
const FRAGMENT = /^<(!--|(h1|div|font|table|a|b|br|p)([\s/>]|$))/i;

/** Whether text begins like a page, a drawing or a script rather than like text for people. */
export function beginsLikeMarkup(head: Buffer, contentType: string): boolean {
  const text = head
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
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
