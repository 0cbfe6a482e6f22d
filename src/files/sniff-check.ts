import type { RefusalReason } from '../events/file.ts';

/** What the bytes themselves may be refused for. */
export type SniffedReason = Extract<
  RefusalReason,
  'encrypted' | 'archive-too-deep' | 'type-does-not-match' | 'image-too-large'
>;

/** Sees every byte of a file once, in order, and keeps few of them. */
export interface Check {
  see(chunk: Buffer): void | Promise<void>;
  /** After the last byte: what the file is to be refused for. */
  refusal(): SniffedReason | undefined | Promise<SniffedReason | undefined>;
  /** It will see no more. */
  close?(): void;
}
