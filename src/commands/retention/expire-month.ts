import { z } from 'zod';
import type { RetentionEvent } from '../../events/domain-event.ts';
import { GroupId } from '../../events/ids.ts';
import { Month } from '../../events/retention.ts';
import { retentionStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Retention, retentionOf } from './retention.ts';

const input = z.strictObject({ groupId: GroupId, month: Month, retentionMonths: z.int().min(1) });

/** Returns the first month that is kept, `YYYY-MM`: all before it have been over for that many months. */
export function firstKept(now: Date, retentionMonths: number): string {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - retentionMonths, 1));
  return first.toISOString().slice(0, 7);
}

/** Ends the retention of what a group said in a month. */
export const expireMonth = defineCommand<z.infer<typeof input>, { retention: Retention }, RetentionEvent>({
  name: 'ExpireMonth',
  input,
  refuses: ['ROLE_NOT_ALLOWED'],
  writes: ({ groupId }) => retentionStream(groupId),
  reads: ({ groupId }) => ({ retention: retentionOf(groupId) }),
  decide: ({ groupId, month, retentionMonths }, { retention }, { actor, now }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    const isOver = month < firstKept(now, retentionMonths);
    return isOver && !retention.expired.includes(month)
      ? [{ type: 'MonthExpired', data: { groupId, month } }]
      : [];
  },
});
