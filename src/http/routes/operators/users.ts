import { z } from 'zod';
import type { Oversight } from '../../../auth/oversight.ts';
import { ensure } from '../../../commands/rejection.ts';
import { Role } from '../../../events/account.ts';
import { UserId } from '../../../events/ids.ts';
import type { OperatorAct } from '../../../events/operations.ts';
import { text } from '../../../events/text.ts';
import { Id, Time, pageOf, paging } from '../../../protocol/schemas.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';
import { ActBody, Acted, type ActDeps, actConfig, recordActs, tags, withReason } from './acts.ts';

export interface OperatorUserRoutes extends ActDeps, Pick<RouteDeps, 'queries'> {
  oversight: Oversight;
}

const Account = z
  .object({
    userId: Id,
    role: Role,
    email: z.string().nullable().describe('Null for accounts of a board without one, and for erased people'),
    displayName: z.string(),
    emailVerified: z.boolean(),
    hasSecondFactor: z.boolean(),
    isSuspended: z.boolean(),
    isErased: z.boolean(),
    createdAt: Time,
  })
  .meta({ id: 'Account' });
const OpenSession = z
  .object({ sessionId: Id, createdAt: Time, lastUsedAt: Time, userAgent: z.string().nullable() })
  .meta({ id: 'OpenSession' });
const AccountDetails = Account.extend({
  sessions: z.array(OpenSession).describe('The open sessions, most recently used first'),
}).meta({ id: 'AccountDetails' });

const search = z.strictObject({
  q: text(1, 254).optional().meta({
    description: 'The id of a user, or the beginning of an e-mail address or of a name, in any case',
  }),
  role: Role.optional(),
  status: z.enum(['active', 'suspended']).optional(),
  ...paging,
});
const params = z.strictObject({ userId: UserId });
const EndSessionsBody = z
  .strictObject({ ...withReason, sessionId: z.uuid().toLowerCase().optional() })
  .meta({ id: 'EndSessions', example: { reason: 'A laptop was stolen' } });
const SessionsEnded = Acted.extend({ endedSessions: z.int().min(0) }).meta({ id: 'SessionsEnded' });

const url = '/v1/admin/users';
const ABOUT_USERS = ['USER_NOT_FOUND', 'ERASURE_DONE'] as const;

/** Defines the routes with which operators find accounts and act on them. */
export function operatorUserRoutes(app: HttpApp, deps: OperatorUserRoutes): void {
  const { oversight, queries } = deps;
  const record = recordActs(deps);

  app.get(
    url,
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'listAccounts',
        summary: 'Accounts: the newest first, or those that begin as asked, addresses before names',
        querystring: search,
        response: { 200: pageOf(Account).meta({ id: 'AccountPage' }) },
      },
    },
    ({ query }) => queries.listAccounts(query),
  );

  app.get(
    `${url}/:userId`,
    {
      config: { for: 'operators', refusals: ['USER_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getAccount',
        summary: 'One account, with its open sessions',
        params,
        response: { 200: AccountDetails },
      },
    },
    async ({ params: { userId } }) => {
      const account = await queries.getAccount({ userId });
      const sessions = (await oversight.sessionsOf(userId)).map(
        ({ sessionId, createdAt, lastUsedAt, userAgent }) => ({
          ...{ sessionId, userAgent },
          ...{ createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt.toISOString() },
        }),
      );
      return { ...account, sessions };
    },
  );

  app.post(
    `${url}/:userId/suspend`,
    {
      config: actConfig('SuspendUser', ...ABOUT_USERS, 'OWN_ACCOUNT', 'LAST_OPERATOR'),
      schema: {
        tags,
        operationId: 'suspendUser',
        summary: 'Keep a user from logging in: its sessions and sockets end, and nothing is sent to it',
        params,
        body: ActBody,
        response: { 200: SessionsEnded },
      },
    },
    async (request) => {
      const { userId } = request.params;
      const obstacle = await oversight.obstacleTo.suspend(userId);
      const { answer } = await record(request, { kind: 'suspendUser', userId }, obstacle);
      const endedSessions = await oversight.suspend(userId);
      // Somebody else was suspended meanwhile: the act stays on record, without effect.
      ensure(endedSessions !== undefined, 'LAST_OPERATOR');
      return { ...answer, endedSessions };
    },
  );

  app.post(
    `${url}/:userId/end-sessions`,
    {
      config: actConfig('EndSessions', ...ABOUT_USERS, 'SESSION_NOT_FOUND'),
      schema: {
        tags,
        operationId: 'endSessions',
        summary: 'End all sessions of a user, or one of them, with their sockets',
        params,
        body: EndSessionsBody,
        response: { 200: SessionsEnded },
      },
    },
    async (request) => {
      const { userId } = request.params;
      const { sessionId = null } = request.body;
      const obstacle =
        sessionId === null ? undefined : await oversight.obstacleTo.endSession(userId, sessionId);
      const { answer } = await record(request, { kind: 'endSessions', userId, sessionId }, obstacle);
      const endedSessions = await oversight.endSessions(userId, sessionId);
      return { ...answer, endedSessions };
    },
  );

  /** Defines an act on a user that answers with nothing else. */
  const onUser = (
    path: string,
    {
      kind,
      summary,
      obstacle,
      effect,
    }: {
      kind: Extract<OperatorAct['kind'], 'restoreUser' | 'resetSecondFactor' | 'verifyEmail'>;
      summary: string;
      obstacle?: (userId: UserId) => Promise<'TOTP_NOT_SET_UP' | 'NO_EMAIL_ADDRESS' | undefined>;
      effect: (userId: UserId) => Promise<void>;
    },
    ...refusals: ('OWN_ACCOUNT' | 'TOTP_NOT_SET_UP' | 'NO_EMAIL_ADDRESS')[]
  ) =>
    app.post(
      `${url}/:userId/${path}`,
      {
        config: actConfig(kind[0]!.toUpperCase() + kind.slice(1), ...ABOUT_USERS, ...refusals),
        schema: { tags, operationId: kind, summary, params, body: ActBody, response: { 200: Acted } },
      },
      async (request) => {
        const { userId } = request.params;
        const { answer } = await record(request, { kind, userId }, await obstacle?.(userId));
        await effect(userId);
        return answer;
      },
    );

  onUser('restore', {
    kind: 'restoreUser',
    summary: 'Let a suspended user log in again',
    effect: (userId) => oversight.restore(userId),
  });
  onUser(
    'reset-second-factor',
    {
      kind: 'resetSecondFactor',
      summary: 'Remove the second factor of a user, who has lost it',
      obstacle: (userId) => oversight.obstacleTo.resetSecondFactor(userId),
      effect: (userId) => oversight.resetSecondFactor(userId),
    },
    'OWN_ACCOUNT',
    'TOTP_NOT_SET_UP',
  );
  onUser(
    'verify-email',
    {
      kind: 'verifyEmail',
      summary: 'Vouch for the e-mail address of a user: mail goes to it',
      obstacle: (userId) => oversight.obstacleTo.verifyEmail(userId),
      effect: (userId) => oversight.verifyEmail(userId),
    },
    'NO_EMAIL_ADDRESS',
  );
}
