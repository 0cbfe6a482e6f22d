import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { countedAddress } from '../../../auth/client-address.ts';
import { type Credential, NewPassword, withUnrelatedPassword } from '../../../auth/credentials.ts';
import { EmailAddress } from '../../../auth/email-address.ts';
import type { LogIn } from '../../../auth/log-in.ts';
import type { RateLimits } from '../../../protocol/rate-limits.ts';
import type { Invitations } from '../../../auth/invitations.ts';
import type { Registration } from '../../../auth/registration.ts';
import type { Authenticate } from '../../../auth/session.ts';
import type { Sessions, Tokens } from '../../../auth/sessions.ts';
import type { Account } from '../../../commands/account/account.ts';
import { CommandRejected } from '../../../commands/rejection.ts';
import { NewDisplayName, Role } from '../../../events/account.ts';
import type { UserId } from '../../../events/ids.ts';
import { text } from '../../../events/text.ts';
import { authenticateRequests } from '../../hooks/authenticate-request.ts';
import { issuers } from './token-keys.ts';
import type { Positions } from '../../../protocol/positions.ts';
import { Id, LinkToken, Position, PresentPassword, TotpCode } from '../../../protocol/schemas.ts';

export interface AuthRoutes {
  positions: Positions;
  registration: Registration;
  invitations: Invitations;
  logIn: LogIn;
  sessions: Sessions;
  authenticate: Authenticate;
  rateLimits: RateLimits;
  /** The URL of this server for clients; undefined means the one at which they ask. */
  publicUrl?: string | undefined;
  /** Resolves with the current state of the account, by the log. */
  loadAccount: (userId: UserId) => Promise<Account>;
}

const isInvited = (invitation: string | null | undefined): invitation is string =>
  typeof invitation === 'string';

const NewAccount = withUnrelatedPassword(
  z
    .strictObject({
      role: Role.extract(['company', 'applicant']),
      email: EmailAddress,
      password: NewPassword,
      displayName: NewDisplayName,
      invitation: LinkToken.nullish().describe(
        'The token of an invitation to a company, which the new account joins',
      ),
    })
    .refine(({ role, invitation }) => role === 'company' || !isInvited(invitation), {
      path: ['invitation'],
      message: 'Only an account with the role company can join one',
    }),
).meta({
  id: 'Register',
  example: {
    role: 'applicant',
    email: 'ada@example.com',
    password: 'a long enough secret',
    displayName: 'Ada',
  },
});
const Registered = z
  .object({
    userId: Id,
    companyId: Id.optional().describe('The company that the account has joined by its invitation'),
    position: Position,
  })
  .meta({ id: 'Registered' });
const LogInBody = z
  .strictObject({
    email: EmailAddress,
    password: PresentPassword,
    code: TotpCode.nullish().describe(
      'Of the authenticator app, or a recovery code; needed where the account has a second factor',
    ),
  })
  .meta({
    id: 'LogIn',
    example: { email: 'ada@example.com', password: 'a long enough secret', code: '123456' },
  });
const RefreshBody = z
  .strictObject({ refreshToken: text(1, 1_000) })
  .meta({ id: 'Refresh', example: { refreshToken: 'The last one that was given' } });

const User = z.object({ id: Id, role: Role, displayName: z.string() }).meta({ id: 'User' });
const LoggedIn = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    expiresIn: z.int().min(0).describe('Of the access token, in seconds'),
    refreshExpiresIn: z.int().min(0).describe('Of the refresh token, in seconds'),
    user: User,
  })
  .meta({ id: 'LoggedIn' });

/** A login may take 10 s (docs/promises.md no. 7), because simultaneous logins wait for the processor. */
const LOG_IN_MS = 8_000;

const tags = ['Authentication'];

/** Defines the routes of registration, login and logout. */
export function authRoutes(plainApp: FastifyInstance, deps: AuthRoutes): void {
  const { registration, invitations, logIn, sessions, positions } = deps;
  const issuerOf = issuers(deps.publicUrl);
  const app = plainApp.withTypeProvider<ZodTypeProvider>();
  const authenticated = authenticateRequests(plainApp, deps);

  async function loggedIn(tokens: Tokens, { userId, role, displayName }: Credential) {
    const account = await deps.loadAccount(userId);
    const name = account.status === 'registered' ? account.displayName : displayName;
    return { ...tokens, user: { id: userId, role, displayName: name } };
  }

  /** Resolves with undefined if the invitation has been revoked meanwhile. */
  const welcome = (invitation: string, userId: UserId, correlationId: string) =>
    invitations
      .welcome(invitation, userId, { actor: { userId, role: 'company' }, correlationId })
      .catch((error: unknown) => {
        if (error instanceof CommandRejected) return undefined;
        throw error;
      });

  app.post(
    '/v1/auth/register',
    {
      config: { idempotentAs: 'Register', refusals: ['EMAIL_TAKEN', 'INVITATION_NOT_FOUND'] },
      schema: {
        tags,
        summary: 'Register as a company or an applicant',
        operationId: 'register',
        security: [],
        body: NewAccount,
        response: { 201: Registered },
      },
    },
    async (request, reply) => {
      const { invitation, ...account } = request.body;
      // Refused before there is an account.
      const address = isInvited(invitation) ? (await invitations.open(invitation)).address : undefined;
      const registered = await registration.register({
        ...account,
        emailVerified: address === account.email,
      });
      const joined = isInvited(invitation)
        ? await welcome(invitation, registered.userId, request.id)
        : undefined;
      const position = positions.encode(joined?.position ?? registered.position);
      return reply.code(201).send({ userId: registered.userId, companyId: joined?.companyId, position });
    },
  );

  for (const [url, operationId] of [
    ['/v1/auth/login', 'logIn'],
    ['/login', 'logInAlias'],
  ] as const)
    app.post(
      url,
      {
        config: {
          answerMs: LOG_IN_MS,
          refusals: ['BAD_CREDENTIALS', 'TOTP_REQUIRED', 'TOTP_INVALID', 'ACCOUNT_SUSPENDED'],
        },
        schema: {
          tags,
          summary: 'Log in',
          operationId,
          security: [],
          body: LogInBody,
          response: { 200: LoggedIn },
        },
      },
      async (request) => {
        const { code, ...body } = request.body;
        const address = countedAddress(request.ip);
        const credential = await logIn({ ...body, code: code ?? undefined, address });
        const userAgent = request.headers['user-agent'];
        return loggedIn(await sessions.open(credential, userAgent, issuerOf(request)), credential);
      },
    );

  app.post(
    '/v1/auth/refresh',
    {
      config: { refusals: ['REFRESH_TOKEN_INVALID'] },
      schema: {
        tags,
        summary: 'Exchange a refresh token for new tokens; the old one is spent',
        operationId: 'refresh',
        security: [],
        body: RefreshBody,
        response: { 200: LoggedIn },
      },
    },
    async (request) => {
      const { tokens, credential } = await sessions.refresh(request.body.refreshToken, issuerOf(request));
      return loggedIn(tokens, credential);
    },
  );

  app.post(
    '/v1/auth/logout',
    {
      onRequest: authenticated,
      config: { for: 'everybody', beforeSecondFactor: true },
      schema: {
        tags,
        summary: 'End the session, with its tokens and its sockets',
        operationId: 'logOut',
        response: { 204: z.undefined().describe('The session has ended') },
      },
    },
    async (request, reply) => {
      await sessions.end(request.session.sessionId);
      return reply.code(204).send();
    },
  );
}
