import { createHash } from 'node:crypto';
import { isUnknownType } from './content-types.ts';
import { checksOf } from '../sniff/sniff.ts';
import { createSource, type Source } from '../sniff/sniff-archive-source.ts';
import type { SniffedReason } from '../sniff/sniff-check.ts';
import { HEAD_BYTES, typeOfHead } from '../sniff/sniff-type.ts';

/** What the bytes say of themselves. */
export interface Judgement {
  sha256: string;
  /** What they are, where nothing else says it; null when they are of no type that is taken. */
  contentType: string | null;
  /** What each check would refuse them for. */
  reasons: SniffedReason[];
}

/**
 * Reads bytes that were declared to be of that type to their end, holding few of them in memory. Of a type that says
 * nothing, the first bytes tell which one it is.
 */
export async function judgeBytes(contentType: string, bytes: AsyncIterable<Buffer>): Promise<Judgement> {
  const hash = createHash('sha256');
  const source = createSource(bytes[Symbol.asyncIterator]());
  const known = isUnknownType(contentType) ? await typeOfFirst(source) : contentType;
  const checks = checksOf(known ?? contentType);
  try {
    for (let chunk = await source.next(); chunk; chunk = await source.next()) {
      hash.update(chunk);
      for (const check of checks) await check.see(chunk);
    }
    const found = await Promise.all(checks.map(async (check) => check.refusal()));
    const reasons = found.filter((reason) => reason !== undefined);
    return { sha256: hash.digest('hex'), contentType: known ?? null, reasons };
  } finally {
    for (const check of checks) check.close?.();
  }
}

async function typeOfFirst(source: Source): Promise<string | undefined> {
  await source.peek(HEAD_BYTES);
  return typeOfHead(source.ahead().subarray(0, HEAD_BYTES));
}
