import { z } from 'zod';
import { countedAddress } from '../../../auth/client-address.ts';
import type { Passwords } from '../../../auth/passwords/passwords.ts';
import type { Sessions } from '../../../auth/sessions.ts';
import { accountOf } from '../../../commands/account/account.ts';
import { requestErasure } from '../../../commands/account/request-erasure.ts';
import { withdrawErasure } from '../../../commands/account/withdraw-erasure.ts';
import type { Request } from '../../../commands/handle-command.ts';
import { CommandRejected } from '../../../commands/rejection.ts';
import { ErasureId, UserId } from '../../../events/ids.ts';
import { caughtUp } from '../../../projections/projection.ts';
import { WRONG_PASSWORD } from '../../../protocol/problem.ts';
import { Done, Id, Position, PresentPassword, Time } from '../../../protocol/schemas.ts';
import { commandRequest } from '../../command-request.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';

const tags = ['Privacy'];
const params = z.strictObject({ erasureId: ErasureId });

const ErasureAsked = z
  .object({ erasureId: Id, dueAt: Time, position: Position })
  .meta({ id: 'ErasureAsked' });
const ErasureView = z
  .object({
    erasureId: Id,
    userId: Id,
    state: z
      .enum(['scheduled', 'suspended', 'done'])
      .describe('`suspended` while an auditor holds one of the person’s groups; `done` once nothing is left'),
    dueAt: Time,
    erasedAt: Time.nullable(),
  })
  .meta({ id: 'Erasure' });

/** Asks for an erasure. Resolves with it, also when it had been asked for, or done, before. */
async function askForErasure(
  { handle, loader, positions }: Pick<RouteDeps, 'handle' | 'loader' | 'positions'>,
  asked: { userId: UserId; delayHours: number },
  request: Request,
): Promise<z.infer<typeof ErasureAsked>> {
  const { position } = await handle(requestErasure, asked, request);
  const { state } = await loader.refresh(accountOf(asked.userId));
  if (state.status === 'none') throw new CommandRejected('USER_NOT_FOUND');
  const erasureId = state.status === 'erased' ? state.erasureId : state.erasure!.erasureId;
  const dueAt = state.status === 'erased' ? new Date().toISOString() : state.erasure!.dueAt;
  return { erasureId, dueAt, position: positions.encode(position) };
}

export interface ErasureRoutes {
  passwords: Pick<Passwords, 'confirm'>;
  sessions: Pick<Sessions, 'endAllOf'>;
  /** Hours in which people can take their own erasure back. */
  erasureDelayHours: number;
}

/** A check of a password waits for the processor, like logins. */
const PASSWORD_MS = 8_000;

/** Defines the routes of erasures. */
export function erasureRoutes(app: HttpApp, deps: RouteDeps & ErasureRoutes): void {
  const { handle, queries, progress, positions } = deps;

  /** Resolves with the erasure, for the person and for auditors; nobody else learns that there is one. */
  async function visible(erasureId: ErasureId, { actor }: { actor: { userId: UserId; role: string } }) {
    // Whoever has just asked for it sees it.
    await caughtUp(progress, await deps.head(), ['accounts']);
    const erasure = await queries.getErasure({ erasureId });
    if (actor.role !== 'auditor' && erasure.userId !== actor.userId)
      throw new CommandRejected('ERASURE_NOT_FOUND');
    return erasure;
  }

  app.delete(
    '/v1/me',
    {
      config: {
        ...{ for: 'everybody', answerMs: PASSWORD_MS },
        refusals: [...requestErasure.refuses, WRONG_PASSWORD],
      },
      schema: {
        tags,
        operationId: 'eraseMe',
        summary: 'Ask to be erased: every session ends; until it is due one can log in and take it back',
        body: z
          .strictObject({ password: PresentPassword })
          .meta({ id: 'EraseMe', example: { password: 'a long enough secret' } }),
        response: { 202: ErasureAsked },
      },
    },
    async (request, reply) => {
      const { userId } = request.session.actor;
      await deps.passwords.confirm(userId, { ...request.body, address: countedAddress(request.ip) });
      const asked = { userId, delayHours: deps.erasureDelayHours };
      const erasure = await askForErasure(deps, asked, commandRequest(request));
      await deps.sessions.endAllOf(userId);
      return reply.code(202).send(erasure);
    },
  );

  app.post(
    '/v1/privacy/erasures',
    {
      config: { for: 'auditors', idempotentAs: 'RequestErasure', refusals: [...requestErasure.refuses] },
      schema: {
        tags,
        operationId: 'requestErasure',
        summary: 'Erase a person, at once unless a hold suspends it',
        body: z
          .strictObject({ userId: UserId })
          .meta({ id: 'RequestErasure', example: { userId: '0197a000-0000-7000-8000-000000000001' } }),
        response: { 202: ErasureAsked },
      },
    },
    async (request, reply) => {
      const asked = { ...request.body, delayHours: 0 };
      return reply.code(202).send(await askForErasure(deps, asked, commandRequest(request)));
    },
  );

  app.get(
    '/v1/privacy/erasures/:erasureId',
    {
      config: { for: 'everybody', refusals: ['ERASURE_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getErasure',
        summary: 'How far an erasure has come, for the person and for auditors',
        params,
        response: { 200: ErasureView },
      },
    },
    async ({ params: { erasureId }, session }) => visible(erasureId, session),
  );

  app.delete(
    '/v1/privacy/erasures/:erasureId',
    {
      config: { for: 'everybody', refusals: [...withdrawErasure.refuses] },
      schema: {
        tags,
        operationId: 'withdrawErasure',
        summary: 'Take an erasure back, while it is not done',
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { userId } = await visible(request.params.erasureId, request.session);
      const asked = { userId, ...request.params };
      const { position } = await handle(withdrawErasure, asked, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
