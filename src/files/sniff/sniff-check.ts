import type { z } from 'zod';
import { RefusalReason } from '../../events/file.ts';

/** What the bytes themselves may be refused for. */
export const SniffedReason = RefusalReason.extract([
  'encrypted',
  'archive-too-deep',
  'type-not-allowed',
  'type-does-not-match',
  'image-too-large',
]);
export type SniffedReason = z.infer<typeof SniffedReason>;

/** Sees every byte of a file once, in order, and keeps few of them. */
export interface Check {
  see(chunk: Buffer): void | Promise<void>;
  /** After the last byte: what the file is to be refused for. */
  refusal(): SniffedReason | undefined | Promise<SniffedReason | undefined>;
  /** It will see no more. */
  close?(): void;
}
