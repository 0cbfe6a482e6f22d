import { z } from 'zod';
import { GrantId, GroupId, HoldId, UserId } from './ids.ts';
import { text, visible } from './text.ts';

/** Why an auditor reads personal text, or keeps it from erasure. */
export const AuditReason = text(1, 1_000);
/** The reason as somebody gives it: it shows something. */
export const GivenReason = visible(AuditReason);

/** Whose personal text a grant opens: what one user wrote and is told, or one group's conversation. */
export const GrantScope = z
  .union([z.strictObject({ userId: UserId }), z.strictObject({ groupId: GroupId })])
  // Client generators do not support a choice of two objects.
  .meta({
    ...{ id: 'GrantScope', description: 'One of both', anyOf: undefined, type: 'object' },
    properties: { userId: { type: 'string', format: 'uuid' }, groupId: { type: 'string', format: 'uuid' } },
    ...{ minProperties: 1, maxProperties: 1, additionalProperties: false },
  });
export type GrantScope = z.infer<typeof GrantScope>;

const time = z.iso.datetime({ precision: 3 });

/** Each grant has a stream of its own. It ends by itself at `expiresAt`. */
export const grantEvents = {
  AccessGranted: z.strictObject({
    grantId: GrantId,
    auditorId: UserId,
    reason: AuditReason,
    scope: GrantScope,
    expiresAt: time,
  }),
  /** The auditor ended it early. */
  AccessEnded: z.strictObject({ grantId: GrantId }),
};

/** Each hold has a stream of its own. While it lasts, nothing of the group is erased. */
export const holdEvents = {
  HoldPlaced: z.strictObject({ holdId: HoldId, groupId: GroupId, reason: AuditReason }),
  HoldReleased: z.strictObject({ holdId: HoldId, groupId: GroupId }),
};
