import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Credentials } from '../../auth/credentials.ts';
import type { RateLimits } from '../../auth/rate-limits.ts';
import type { Authenticate } from '../../auth/session.ts';
import type { Account } from '../../commands/account/account.ts';
import { changeProfile } from '../../commands/account/change-profile.ts';
import { encodePosition } from '../../commands/answers.ts';
import type { HandleCommand } from '../../commands/handle-command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { NewDisplayName, Role } from '../../events/account.ts';
import type { UserId } from '../../events/ids.ts';
import { authenticateRequests } from '../authenticate-request.ts';
import { commandRequest } from '../command-request.ts';
import { Id, Position } from '../schemas.ts';

export interface MeRoutes {
  authenticate: Authenticate;
  rateLimits: RateLimits;
  credentials: Pick<Credentials, 'ofUser'>;
  /** The account as the log has it now. */
  loadAccount: (userId: UserId) => Promise<Account>;
  handle: HandleCommand;
}

const Me = z.object({
  id: Id,
  userId: Id.describe('The same as id'),
  role: Role,
  displayName: z.string(),
  email: z.string(),
});

const tags = ['Authentication'];

/** The caller's own account. */
export function meRoutes(plainApp: FastifyInstance, deps: MeRoutes): void {
  const app = plainApp.withTypeProvider<ZodTypeProvider>();
  const onRequest = authenticateRequests(plainApp, deps);

  /** Read from the log, not from a read model: whatever the caller has written, it shows. */
  async function me(userId: UserId): Promise<z.infer<typeof Me>> {
    const [account, credential] = await Promise.all([
      deps.loadAccount(userId),
      deps.credentials.ofUser(userId),
    ]);
    if (account.status === 'none' || !credential) throw new CommandRejected('USER_NOT_FOUND');
    const { role, displayName } = account;
    return { id: userId, userId, role, displayName, email: credential.email };
  }

  app.get(
    '/v1/me',
    {
      onRequest,
      config: { refusals: ['USER_NOT_FOUND'] },
      schema: {
        tags,
        summary: 'The caller',
        operationId: 'getMe',
        response: { 200: Me },
      },
    },
    async ({ session }) => me(session.actor.userId),
  );

  app.patch(
    '/v1/me',
    {
      onRequest,
      config: { refusals: ['USER_NOT_FOUND'] },
      schema: {
        tags,
        summary: "Change the caller's profile",
        operationId: 'changeMe',
        body: z.strictObject({ displayName: NewDisplayName.optional() }),
        response: { 200: Me.extend({ position: Position }) },
      },
    },
    async (request) => {
      const { userId } = request.session.actor;
      const change = { userId, ...request.body };
      const { position } = await deps.handle(changeProfile, change, commandRequest(request));
      return { ...(await me(userId)), position: encodePosition(position) };
    },
  );
}
