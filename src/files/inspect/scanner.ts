import type { Readable } from 'node:stream';

/** The verdict of a malware scanner. Only an explicit "clean" counts as clean. */
export type ScanVerdict =
  | { verdict: 'clean' }
  | { verdict: 'infected'; signature: string }
  /** The scanner could not look inside, so the content is unknown. */
  | { verdict: 'refused'; reason: 'encrypted' | 'archive-too-deep' };

/** The scanner is down, slow, or gives unexpected answers. Nothing is known, and it may be asked again. */
export class ScannerUnavailable extends Error {
  override readonly name = 'ScannerUnavailable';
}

/** The port of the scanner. */
export interface Scanner {
  /** Reads the bytes to their end, holding little of them in memory. Rejects with `ScannerUnavailable`. */
  scan(bytes: Readable, signal: AbortSignal): Promise<ScanVerdict>;
  /** Resolves with the reason why it cannot be relied on now; undefined while it can. Takes at most 2 s. */
  failure(): Promise<string | undefined>;
}
