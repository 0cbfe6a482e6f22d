import type { RefusalReason } from '../../events/file.ts';

/** The result of an inspection: a file that is not cleared is refused. */
export type Finding =
  | {
      verdict: 'cleared';
      sha256: string;
      /** The type of the bytes, if it was not known before. */
      contentType?: string | undefined;
    }
  | {
      verdict: 'refused';
      reason: Exclude<RefusalReason, 'never-completed' | 'never-sent' | 'erased'>;
      signature: string | null;
    };

/** The completed bytes are gone or were replaced. The present ones were not inspected. */
export const CHANGED_SINCE: Extract<Finding, { verdict: 'refused' }> = {
  verdict: 'refused',
  reason: 'wrong-sha256',
  signature: null,
};

/** The bytes could not all be inspected within the budget. */
export const INSPECTION_FAILED: Extract<Finding, { verdict: 'refused' }> = {
  verdict: 'refused',
  reason: 'inspection-failed',
  signature: null,
};
