import type { Readable } from 'node:stream';

/** What a malware scanner says of some bytes. Only an explicit "clean" is one. */
export type ScanVerdict =
  | { verdict: 'clean' }
  | { verdict: 'infected'; signature: string }
  /** It could not look inside, so nobody knows. */
  | { verdict: 'refused'; reason: 'encrypted' | 'archive-too-deep' };

/** The scanner is down, slow, or talks nonsense: nothing is known, and it may be asked again. */
export class ScannerUnavailable extends Error {
  override readonly name = 'ScannerUnavailable';
}

/** The port of the scanner. */
export interface Scanner {
  /** Reads the bytes to their end, holding little of them in memory. Rejects with `ScannerUnavailable`. */
  scan(bytes: Readable, signal: AbortSignal): Promise<ScanVerdict>;
  /** Why it cannot be relied on now; undefined while it can. At most 2 s. */
  failure(): Promise<string | undefined>;
}
