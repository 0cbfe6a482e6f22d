import { z } from 'zod';
import { GroupId } from './ids.ts';

/** A month in UTC. */
export const Month = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'Must be a month like 2026-01');

/** The retention of a group's conversation. */
export const retentionEvents = {
  /** What was said in the group in this month can no longer be read. */
  MonthExpired: z.strictObject({ groupId: GroupId, month: Month }),
};
