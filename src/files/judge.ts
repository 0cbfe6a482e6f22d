import { createHash } from 'node:crypto';
import { checksOf } from './sniff.ts';
import type { SniffedReason } from './sniff-check.ts';

/** What the bytes say of themselves. */
export interface Judgement {
  sha256: string;
  /** What each check would refuse them for. */
  reasons: SniffedReason[];
}

/** Reads bytes that were declared to be of that type to their end, holding few of them in memory. */
export async function judgeBytes(contentType: string, bytes: AsyncIterable<Buffer>): Promise<Judgement> {
  const hash = createHash('sha256');
  const checks = checksOf(contentType);
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      for (const check of checks) await check.see(chunk);
    }
    const found = await Promise.all(checks.map(async (check) => check.refusal()));
    return { sha256: hash.digest('hex'), reasons: found.filter((reason) => reason !== undefined) };
  } finally {
    for (const check of checks) check.close?.();
  }
}
