import type { RefusalReason } from '../events/file.ts';

/** What an inspection found: whatever is not cleared is refused. */
export type Finding =
  | { verdict: 'cleared'; sha256: string }
  | {
      verdict: 'refused';
      reason: Exclude<RefusalReason, 'never-completed' | 'never-sent'>;
      signature: string | null;
    };
