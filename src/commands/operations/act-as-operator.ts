import { z } from 'zod';
import { GivenReason } from '../../events/audit.ts';
import type { OperationEvent } from '../../events/domain-event.ts';
import { ActId, type UserId } from '../../events/ids.ts';
import { OperatorAct } from '../../events/operations.ts';
import { operationStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { type AggregateRef, defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Operation, operationOf } from './operation.ts';

const input = z.strictObject({
  actId: ActId,
  act: OperatorAct,
  reason: GivenReason,
  /** What forbids the act among the facts that the log does not have: accounts can log in, read models are there. */
  obstacle: z
    .enum([
      ...(['LAST_OPERATOR', 'SESSION_NOT_FOUND', 'TOTP_NOT_SET_UP', 'NO_EMAIL_ADDRESS'] as const),
      ...(['REBUILD_RUNNING', 'NOTHING_KEPT'] as const),
    ])
    .optional(),
});
export type Obstacle = NonNullable<z.infer<typeof input>['obstacle']>;

interface Reads {
  operation: Operation;
  account?: Account;
  job?: Job;
}

/** Operators cannot shut themselves out, nor take the protection of a session away with that session alone. */
const NOT_TO_ONESELF: readonly OperatorAct['kind'][] = ['suspendUser', 'resetSecondFactor'];

const userIn = (act: OperatorAct): UserId | undefined => ('userId' in act ? act.userId : undefined);

/**
 * Puts an act of an operator on record, with its reason, before it takes effect. The effect is not part of the decision:
 * a crash between the two leaves an act on record that has changed nothing, and that can be repeated.
 */
export const actAsOperator = defineCommand<z.infer<typeof input>, Reads, OperationEvent>({
  name: 'ActAsOperator',
  input,
  refuses: [
    ...(['ROLE_NOT_ALLOWED', 'USER_NOT_FOUND', 'ERASURE_DONE', 'JOB_NOT_FOUND', 'OWN_ACCOUNT'] as const),
    ...(['LAST_OPERATOR', 'SESSION_NOT_FOUND', 'TOTP_NOT_SET_UP', 'NO_EMAIL_ADDRESS'] as const),
    ...(['REBUILD_RUNNING', 'NOTHING_KEPT'] as const),
  ],
  opens: true,
  writes: ({ actId }) => operationStream(actId),
  reads: ({ actId, act }) => {
    const userId = userIn(act);
    const refs: {
      operation: AggregateRef<Operation>;
      account?: AggregateRef<Account>;
      job?: AggregateRef<Job>;
    } = {
      operation: operationOf(actId),
      ...(userId !== undefined && { account: accountOf(userId) }),
      ...(act.kind === 'closeJob' && { job: jobOf(act.jobId) }),
    };
    return refs as Required<typeof refs>;
  },
  decide: ({ actId, act, reason, obstacle }, { operation, account, job }, { actor }) => {
    ensure(actor !== 'system' && actor.role === 'admin', 'ROLE_NOT_ALLOWED');
    ensure(account?.status !== 'none', 'USER_NOT_FOUND');
    ensure(account?.status !== 'erased', 'ERASURE_DONE');
    ensure(job?.status !== 'none', 'JOB_NOT_FOUND');
    ensure(!(NOT_TO_ONESELF.includes(act.kind) && userIn(act) === actor.userId), 'OWN_ACCOUNT');
    ensure(obstacle === undefined, obstacle!);
    if (operation.status === 'acted') return [];
    return [{ type: 'OperatorActed', data: { actId, operatorId: actor.userId, act, reason } }];
  },
});
