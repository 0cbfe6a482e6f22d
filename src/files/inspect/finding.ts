import type { RefusalReason } from '../../events/file.ts';

/** What an inspection found: whatever is not cleared is refused. */
export type Finding =
  | {
      verdict: 'cleared';
      sha256: string;
      /** What the bytes are, where nothing had said it before. */
      contentType?: string | undefined;
    }
  | {
      verdict: 'refused';
      reason: Exclude<RefusalReason, 'never-completed' | 'never-sent'>;
      signature: string | null;
    };

/** The bytes that were completed are not there any more, or are others: nobody looked at those. */
export const CHANGED_SINCE: Extract<Finding, { verdict: 'refused' }> = {
  verdict: 'refused',
  reason: 'wrong-sha256',
  signature: null,
};

/** Nobody could look at all of the bytes within the budget for that. */
export const INSPECTION_FAILED: Extract<Finding, { verdict: 'refused' }> = {
  verdict: 'refused',
  reason: 'inspection-failed',
  signature: null,
};
