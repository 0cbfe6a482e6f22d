import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Addresses } from '../../../auth/addresses.ts';
import { countedAddress } from '../../../auth/client-address.ts';
import { type Credentials, NewPassword } from '../../../auth/credentials.ts';
import { EmailAddress } from '../../../auth/email-address.ts';
import type { Passwords } from '../../../auth/passwords/passwords.ts';
import type { RateLimits } from '../../../protocol/rate-limits.ts';
import type { Authenticate } from '../../../auth/session.ts';
import type { Account } from '../../../commands/account/account.ts';
import { changeProfile } from '../../../commands/account/change-profile.ts';
import type { HandleCommand } from '../../../commands/handle-command.ts';
import { CommandRejected } from '../../../commands/rejection.ts';
import { NewDisplayName, Role } from '../../../events/account.ts';
import type { UserId } from '../../../events/ids.ts';
import { authenticateRequests } from '../../hooks/authenticate-request.ts';
import { commandRequest } from '../../command-request.ts';
import type { Positions } from '../../../protocol/positions.ts';
import { WRONG_PASSWORD } from '../../../protocol/problem.ts';
import { Empty, Epoch, Id, Position, PresentPassword, Time } from '../../../protocol/schemas.ts';

export interface MeRoutes {
  authenticate: Authenticate;
  rateLimits: RateLimits;
  credentials: Pick<Credentials, 'ofUser'>;
  addresses: Addresses;
  passwords: Passwords;
  /** Resolves with the current state of the account, by the log. */
  loadAccount: (userId: UserId) => Promise<Account>;
  handle: HandleCommand;
  positions: Positions;
  /** Resolves with the company that a user has joined, or its own. */
  companyOf: (userId: UserId) => Promise<UserId>;
}

/** What clients may rely on besides the first version. */
const FEATURES = ['private-conversations', 'hiring-teams'];

const Me = z
  .object({
    id: Id,
    userId: Id.describe('The same as id'),
    role: Role,
    displayName: z.string(),
    email: z.string().nullable().describe('Null for an account of a board that has given none'),
    companyId: Id.optional().describe('For companies: the one that the caller has joined, or its own'),
    emailVerified: z.boolean().describe('Mail goes to a verified address only'),
    erasure: z
      .object({ erasureId: Id, dueAt: Time })
      .nullable()
      .describe('The erasure that the caller has asked for and can still take back'),
    totpEnabled: z.boolean().describe('Whether logins need a code of the second factor'),
    features: z.array(z.string()).describe('What this server offers beyond the first version'),
    epoch: Epoch,
  })
  .meta({ id: 'Me' });
const ChangedMe = Me.extend({ position: Position }).meta({ id: 'ChangedMe' });
const ChangeMe = z
  .strictObject({ displayName: NewDisplayName.optional() })
  .meta({ id: 'ChangeMe', example: { displayName: 'Ada Lovelace' } });

const ChangePassword = z.strictObject({ currentPassword: PresentPassword, newPassword: NewPassword }).meta({
  id: 'ChangePassword',
  example: { currentPassword: 'a long enough secret', newPassword: 'another long secret' },
});
const ChangeEmail = z.strictObject({ email: EmailAddress, password: PresentPassword }).meta({
  id: 'ChangeEmail',
  example: { email: 'ada@example.org', password: 'a long enough secret' },
});
/** Simultaneous checks of passwords wait for the processor, like logins. */
const PASSWORD_MS = 8_000;

const tags = ['Authentication'];

/** Defines the routes of the caller's account. */
export function meRoutes(plainApp: FastifyInstance, deps: MeRoutes): void {
  const app = plainApp.withTypeProvider<ZodTypeProvider>();
  const onRequest = authenticateRequests(plainApp, deps);

  /** Reads the log instead of a read model, apart from the company, so that callers see their own writes. */
  async function me(userId: UserId): Promise<z.infer<typeof Me>> {
    const [account, credential] = await Promise.all([
      deps.loadAccount(userId),
      deps.credentials.ofUser(userId),
    ]);
    if (account.status !== 'registered' || !credential) throw new CommandRejected('USER_NOT_FOUND');
    const { role, displayName } = account;
    const { email, emailVerified, hasSecondFactor: totpEnabled } = credential;
    const { erasure } = account;
    const me = { id: userId, userId, role, displayName, email, emailVerified, totpEnabled, erasure };
    const company = role === 'company' && { companyId: await deps.companyOf(userId) };
    return { ...me, ...company, features: FEATURES, epoch: deps.positions.epoch };
  }

  app.get(
    '/v1/me',
    {
      onRequest,
      config: { for: 'everybody', beforeSecondFactor: true, refusals: ['USER_NOT_FOUND'] },
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
      config: { refusals: [...changeProfile.refuses] },
      schema: {
        tags,
        summary: "Change the caller's profile",
        operationId: 'changeMe',
        body: ChangeMe,
        response: { 200: ChangedMe },
      },
    },
    async (request) => {
      const { userId } = request.session.actor;
      const change = { userId, ...request.body };
      const { position } = await deps.handle(changeProfile, change, commandRequest(request));
      return { ...(await me(userId)), position: deps.positions.encode(position) };
    },
  );

  app.put(
    '/v1/me/password',
    {
      onRequest,
      config: { for: 'everybody', answerMs: PASSWORD_MS, refusals: [WRONG_PASSWORD] },
      schema: {
        tags,
        summary: 'Change the password; every other session ends',
        operationId: 'changePassword',
        body: ChangePassword,
        response: { 204: z.undefined().describe('The password is changed') },
      },
    },
    async ({ session, body, ip }, reply) => {
      const asked = { ...body, address: countedAddress(ip), kept: session.sessionId };
      await deps.passwords.change(session.actor.userId, asked);
      return reply.code(204).send();
    },
  );

  app.put(
    '/v1/me/email',
    {
      onRequest,
      config: { for: 'everybody', answerMs: PASSWORD_MS, refusals: [WRONG_PASSWORD, 'EMAIL_TAKEN'] },
      schema: {
        tags,
        summary: 'Change the e-mail address, as soon as the new one is confirmed; the present one is told',
        operationId: 'changeEmail',
        body: ChangeEmail,
        response: { 202: Empty },
      },
    },
    async ({ session, body, ip }, reply) => {
      await deps.addresses.change(session.actor.userId, { ...body, address: countedAddress(ip) });
      return reply.code(202).send({});
    },
  );
}
