import type { RefusalReason } from '../events/file.ts';
import { isArchiveType, isImageType, isTextType } from './content-types.ts';
import { createArchiveCheck } from './sniff-archive.ts';
import { createImageCheck } from './sniff-image.ts';
import { createPolyglotCheck } from './sniff-polyglot.ts';
import { createTextCheck } from './sniff-text.ts';
import { createTypeCheck } from './sniff-type.ts';

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

/** What has to be looked at in bytes that are declared to be of that type. */
export function checksOf(contentType: string): Check[] {
  const checks = [createTypeCheck(contentType)];
  if (isTextType(contentType)) checks.push(createTextCheck());
  else if (isArchiveType(contentType)) checks.push(createArchiveCheck());
  else checks.push(createPolyglotCheck(contentType));
  if (isImageType(contentType)) checks.push(createImageCheck(contentType));
  return checks;
}
