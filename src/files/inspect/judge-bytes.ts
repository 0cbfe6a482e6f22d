import { createHash } from 'node:crypto';
import { isUnknownType } from './content-types.ts';
import { checksOf } from '../sniff/sniff.ts';
import { createSource, type Source } from '../sniff/sniff-archive.ts';
import type { SniffedReason } from '../sniff/sniff-check.ts';
import { HEAD_BYTES, typeOfHead } from '../sniff/sniff-type.ts';

/** The result of looking at the bytes. */
export interface Judgement {
  sha256: string;
  /** The type of the bytes, where it was not declared; null when it is not an accepted type. */
  contentType: string | null;
  /** The refusals of the checks. */
  reasons: SniffedReason[];
}

/**
 * Reads bytes declared to be of that type to their end, holding few of them in memory. If the type says
 * nothing, the first bytes tell it.
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
