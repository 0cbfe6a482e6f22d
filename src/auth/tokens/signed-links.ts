import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Links that carry their permission, so that using one needs no session. */
export interface SignedLinks {
  /**
   * Returns a token of base64url and one dot. It holds the fields as they are: readable by all, but any
   * change breaks the signature. `expiresAt` is in ms since 1970.
   */
  sign(purpose: string, fields: Record<string, string>, expiresAt: number): string;
  /** Returns the fields; undefined when the token is forged, was signed for another purpose, or has expired. */
  open(purpose: string, token: string): Record<string, string> | undefined;
}

/** Longer than any token that is made here. Longer input is not examined. */
const MAX_LENGTH = 4_096;
const Content = z.strictObject({ fields: z.record(z.string(), z.string()), expiresAt: z.number() });

/**
 * Creates links signed with HMAC-SHA256 (RFC 2104) over purpose and content. `secrets` returns those that are accepted,
 * of at least 32 bytes each; the first one signs. `now` is in ms.
 */
export function createSignedLinks(
  secrets: () => readonly Buffer[],
  now: () => number = Date.now,
): SignedLinks {
  // As JSON the two parts cannot run into each other.
  const signature = (secret: Buffer, purpose: string, content: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, content]))
      .digest('base64url');

  return {
    sign(purpose, fields, expiresAt) {
      const content = Buffer.from(JSON.stringify({ fields, expiresAt })).toString('base64url');
      const [secret] = secrets();
      if (!secret) throw new Error('no secret signs links');
      return `${content}.${signature(secret, purpose, content)}`;
    },
    open(purpose, token) {
      if (token.length > MAX_LENGTH) return undefined;
      const [content = '', signed = '', ...rest] = token.split('.');
      if (rest.length > 0) return undefined;
      if (!secrets().some((secret) => isSame(signed, signature(secret, purpose, content)))) return undefined;
      const { fields, expiresAt } = Content.parse(JSON.parse(Buffer.from(content, 'base64url').toString()));
      return now() < expiresAt ? fields : undefined;
    },
  };
}

/** Compares the texts and not the decoded bytes, which another last character could stand for as well. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
