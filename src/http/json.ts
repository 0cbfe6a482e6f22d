import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, badInput, problem } from '../protocol/problem.ts';

/** No body needs more. The limit protects the stack of every later step. */
const MAX_DEPTH = 16;

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/gs;

/** An object or an array that is being read, with the names used so far, or the number of items. */
interface Level {
  names: Set<string> | undefined;
  expectsName: boolean;
  part: string | number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a JSON text like JSON.parse, but more strictly: UTF-8 only, no duplicate names in an object, no
 * `__proto__`, no NUL and no lone surrogate in any string, at most 16 levels. An empty text is undefined.
 * Throws `ProblemError` with BAD_REQUEST.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  const value = parse(text);
  inspect(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refuse([], 'Must be UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse([], 'Must be valid JSON');
  }
}

/** Visits the tokens of a valid JSON text. */
function inspect(text: string): void {
  const levels: Level[] = [];
  const path = () => levels.map(({ part }) => part);
  for (const [token] of text.matchAll(TOKENS)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      if (levels.length === MAX_DEPTH) throw refuse(path(), `Too deep: at most ${MAX_DEPTH} levels`);
      const isObject = token === '{';
      levels.push({
        names: isObject ? new Set() : undefined,
        expectsName: isObject,
        part: isObject ? '' : 0,
      });
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (token === ',') {
      if (level?.names) level.expectsName = true;
      else if (level) level.part = Number(level.part) + 1;
    } else {
      const string: string = token.includes('\\') ? JSON.parse(token) : token.slice(1, -1);
      if (level?.names && level.expectsName) takeName(level, level.names, string, path);
      if (string.includes('\u0000') || !string.isWellFormed())
        throw refuse(path(), 'Must not contain NUL characters or lone surrogates');
    }
  }
}

function takeName(level: Level, names: Set<string>, name: string, path: () => (string | number)[]): void {
  level.part = name;
  level.expectsName = false;
  if (name === '__proto__') throw refuse(path(), 'Unknown field');
  if (names.has(name)) throw refuse(path(), 'Must not occur twice');
  names.add(name);
}

const refuse = (path: readonly (string | number)[], message: string) =>
  new ProblemError(badInput([{ path, message }]));

/** Refuses other encodings: JSON between systems is UTF-8 (RFC 8259 §8.1), and compressed bodies are not supported. */
function requirePlainUtf8({ headers }: FastifyRequest, reply: FastifyReply): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (encoding.toLowerCase() !== 'identity') {
    void reply.header('Accept-Encoding', 'identity');
    throw new ProblemError(problem('UNSUPPORTED_MEDIA_TYPE', { detail: 'Bodies must not be compressed' }));
  }
  if (charset.toLowerCase() !== 'utf-8') throw notUtf8();
}

const notUtf8 = () => new ProblemError(problem('UNSUPPORTED_MEDIA_TYPE', { detail: 'Must be UTF-8' }));
const isUtf16 = ([first, second]: Uint8Array) =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

/** Accepts JSON bodies only. A route without a body accepts none, or the empty object that some clients send. */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => {
      if (isUtf16(body)) throw notUtf8();
      return parseJson(body);
    },
  );
  app.addHook('preParsing', async (request, reply) => {
    // A body of an unknown path says nothing.
    if (!request.is404 && !request.routeOptions.config.slowBody) requirePlainUtf8(request, reply);
  });
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    if (routeOptions.schema?.body || body === undefined || body === null) return;
    const [field] = typeof body === 'object' ? Object.keys(body) : [''];
    if (field !== undefined) throw refuse(field ? [field] : [], 'This call takes no body');
  });
}
