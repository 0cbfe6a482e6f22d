import { z } from 'zod';
import { AuditReason } from './audit.ts';
import { ActId, JobId, UserId } from './ids.ts';

/** The most batches of notifications that one act names. */
export const MOST_BATCHES = 100;

/**
 * What an operator does. The acts are permanent, as every stored shape is: one more kind of act is a new version of
 * `OperatorActed`.
 */
export const OperatorAct = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('suspendUser'), userId: UserId }),
  z.strictObject({ kind: z.literal('restoreUser'), userId: UserId }),
  /** All sessions of the user where none is named. */
  z.strictObject({ kind: z.literal('endSessions'), userId: UserId, sessionId: z.uuid().nullable() }),
  z.strictObject({ kind: z.literal('resetSecondFactor'), userId: UserId }),
  z.strictObject({ kind: z.literal('verifyEmail'), userId: UserId }),
  z.strictObject({ kind: z.literal('closeJob'), jobId: JobId }),
  /** All parked batches where none is named. */
  z.strictObject({
    kind: z.literal('replayNotifications'),
    batchIds: z.array(z.uuid()).min(1).max(MOST_BATCHES).nullable(),
  }),
  z.strictObject({ kind: z.literal('rebuildReadModel'), name: z.string(), force: z.boolean() }),
  z.strictObject({ kind: z.literal('rollBackReadModel'), name: z.string() }),
]);
export type OperatorAct = z.infer<typeof OperatorAct>;

/** Each act has a stream of its own. It is on record before it takes effect, so one that a crash cut off may be repeated. */
export const operationEvents = {
  OperatorActed: z.strictObject({
    actId: ActId,
    operatorId: UserId,
    act: OperatorAct,
    reason: AuditReason,
  }),
};
