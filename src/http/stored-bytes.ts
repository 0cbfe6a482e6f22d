import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import { parse } from 'range-parser';
import { ProblemError, problem } from '../protocol/problem.ts';
import {
  type ByteRange,
  type FileStorage,
  ObjectChanged,
  type StorageKey,
  type StoredObject,
} from '../files/storage.ts';

/** The bit with which the parser marks a header field that has to be ignored. */
const MALFORMED = 1;

/**
 * Answers a request for an object, or a part of it, or for what has changed in it (RFC 9110 §13, §14): sets the status
 * and the header fields about the bytes. Resolves with the bytes; undefined when the client has them. Rejects with
 * RANGE_NOT_SATISFIABLE, and with `ObjectChanged`.
 */
export async function bytesFor(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  storage: Pick<FileStorage, 'stat' | 'read'>,
  key: StorageKey,
): Promise<Readable | undefined> {
  const describe = ({ size, etag }: StoredObject) =>
    reply.headers({ 'Accept-Ranges': 'bytes', 'Content-Length': size, ETag: `"${etag}"` });

  const isPlain = headers.range === undefined && headers['if-none-match'] === undefined;
  if (isPlain && method === 'GET') {
    const { body, ...object } = await storage.read(key);
    describe(object);
    return body;
  }
  const object = await storage.stat(key);
  if (!object) throw new ObjectChanged();
  const { size, etag } = object;
  if (fresh(headers, { etag: `"${etag}"` })) {
    void reply.code(304).header('ETag', `"${etag}"`);
    return undefined;
  }
  // A range means something to GET only.
  const range = method === 'GET' ? partOf(headers, object) : undefined;
  if (range === 'unsatisfiable') {
    void reply.header('Content-Range', `bytes */${size}`);
    throw new ProblemError(problem('RANGE_NOT_SATISFIABLE'));
  }
  const body = method === 'GET' ? (await storage.read(key, { etag, range })).body : Readable.from([]);
  describe(object);
  if (range) {
    const { start, end } = range;
    void reply
      .code(206)
      .headers({ 'Content-Length': end - start + 1, 'Content-Range': `bytes ${start}-${end}/${size}` });
  }
  return body;
}

/**
 * Returns the part of an object that is asked for; undefined for all of it, which also answers a request for several
 * parts, for parts in an unknown unit, or for a part of another version.
 */
function partOf(
  { range, 'if-range': version }: FastifyRequest['headers'],
  { size, etag }: StoredObject,
): ByteRange | 'unsatisfiable' | undefined {
  if (range === undefined || (version !== undefined && version !== `"${etag}"`)) return undefined;
  const { code, type, ranges } = parse(size, range);
  const isMalformed = (code & MALFORMED) !== 0;
  if (type !== 'bytes' || isMalformed || ranges.length > 1) return undefined;
  return ranges[0] ?? 'unsatisfiable';
}
