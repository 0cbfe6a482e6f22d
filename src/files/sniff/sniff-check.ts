import type { z } from 'zod';
import { RefusalReason } from '../../events/file.ts';

/** The reasons to refuse a file for its bytes. */
export const SniffedReason = RefusalReason.extract([
  'encrypted',
  'archive-too-deep',
  'type-not-allowed',
  'type-does-not-match',
  'image-too-large',
]);
export type SniffedReason = z.infer<typeof SniffedReason>;

/** A check that sees every byte of a file once, in order, and keeps few of them. */
export interface Check {
  see(chunk: Buffer): void | Promise<void>;
  /** Returns the reason to refuse the file, after the last byte. */
  refusal(): SniffedReason | undefined | Promise<SniffedReason | undefined>;
  /** Releases resources. No more bytes follow. */
  close?(): void;
}
