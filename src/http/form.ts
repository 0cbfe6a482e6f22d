import type { FastifyInstance } from 'fastify';
import { ProblemError, badInput } from '../protocol/problem.ts';

export const FORM_TYPE = 'application/x-www-form-urlencoded';
/** Longer than any form that is of use. */
const BODY_LIMIT = 32_768;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Makes the routes of a context take forms, and nothing else. A field that occurs twice is refused (RFC 6749 §3.2). */
export function acceptFormsOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    FORM_TYPE,
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    async (_request: unknown, body: Buffer) => parseForm(body),
  );
}

function parseForm(body: Buffer): Record<string, string> {
  const fields = [...new URLSearchParams(decode(body))];
  const form = new Map<string, string>();
  for (const [name, value] of fields) {
    if (form.has(name)) throw refuse(name, 'Must not occur twice');
    if (value.includes('\u0000')) throw refuse(name, 'Must not contain NUL characters');
    // RFC 6749 §3.2: without a value it is as if absent.
    if (value !== '') form.set(name, value);
  }
  return Object.fromEntries(form);
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw refuse('', 'Must be UTF-8');
  }
}

const refuse = (name: string, message: string) =>
  new ProblemError(badInput([{ path: name === '' ? [] : [name], message }]));
