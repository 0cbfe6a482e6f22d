import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Obstacle, actAsOperator } from '../../../commands/operations/act-as-operator.ts';
import { GivenReason } from '../../../events/audit.ts';
import type { Recorded } from '../../../events/event-store.ts';
import type { EventOf } from '../../../events/domain-event.ts';
import { ActId } from '../../../events/ids.ts';
import type { OperatorAct } from '../../../events/operations.ts';
import { Id, Position } from '../../../protocol/schemas.ts';
import { commandRequest } from '../../command-request.ts';
import type { RouteDeps } from '../../route-deps.ts';

export const tags = ['Operators'];

/** Why an operator acts. It is on record, for auditors. */
const Reason = GivenReason.meta({ description: 'Why. It is on record, for auditors' });
export const withReason = { reason: Reason };
/** The body of an act that needs nothing else. */
export const ActBody = z.strictObject(withReason).meta({ id: 'Act', example: { reason: 'Complaint 4711' } });

/** The answer of an act without other results. */
export const Acted = z.object({ actId: Id, position: Position }).meta({ id: 'Acted' });

export type ActDeps = Pick<RouteDeps, 'handle' | 'positions' | 'newId'>;

/** Returns the schema's config of an act: whose it is, and that it may be repeated with the same key. */
export const actConfig = (idempotentAs: string, ...refusals: (typeof actAsOperator.refuses)[number][]) => ({
  for: 'operators' as const,
  idempotentAs,
  refusals,
});

/**
 * Returns a function that puts an act on record. Its effect follows, in the caller: an act whose effect was cut off is
 * repeated with the same key, and then is on record once. An obstacle refuses an act that is not on record yet. The
 * function resolves with the event, and with what every act is answered with.
 */
export const recordActs =
  ({ handle, newId, positions }: ActDeps) =>
  async (
    request: FastifyRequest<{ Body: { reason: string } }>,
    act: OperatorAct,
    obstacle?: Obstacle,
  ): Promise<{ acted: Recorded<EventOf<'OperatorActed'>>; answer: z.infer<typeof Acted> }> => {
    const actId = ActId.parse(newId());
    const { reason } = request.body;
    const { events } = await handle(actAsOperator, { actId, act, reason, obstacle }, commandRequest(request));
    const [acted] = events;
    if (acted?.type !== 'OperatorActed') throw new Error('ActAsOperator must return an OperatorActed');
    const answer = { actId: acted.data.actId, position: positions.encode(acted.position) };
    return { acted, answer };
  };
