import { z } from 'zod';
import { BoardUser, type BoardUsers, ExternalId } from '../../../auth/clients/board-users.ts';
import type { ClientSession } from '../../../auth/session.ts';
import { LONGEST_USER_TOKEN_SECONDS } from '../../../auth/tokens/access-tokens.ts';
import { UserId } from '../../../events/ids.ts';
import type { Positions } from '../../../protocol/positions.ts';
import { Id, Position } from '../../../protocol/schemas.ts';
import type { HttpApp } from '../../route-deps.ts';
import { issuers } from '../account/token-keys.ts';

export interface BoardUserRoutes {
  users: BoardUsers;
  positions: Positions;
  publicUrl?: string | undefined;
}

const PutUser = BoardUser.meta({
  id: 'PutUser',
  example: { role: 'applicant', displayName: 'Ada', email: 'ada@example.com', emailVerified: true },
});
const UserPut = z.object({ userId: Id, position: Position }).meta({ id: 'UserPut' });
const UserState = z.object({ userId: Id, active: z.boolean() }).meta({ id: 'UserState' });
const IssueUserToken = z
  .strictObject({ ttlSeconds: z.int().min(1).max(LONGEST_USER_TOKEN_SECONDS) })
  .meta({ id: 'IssueUserToken', example: { ttlSeconds: 3_600 } });
const UserToken = z
  .object({ accessToken: z.string(), expiresIn: z.int().min(0).describe('In seconds') })
  .meta({ id: 'UserToken' });

const tags = ['Clients'];
const params = z.strictObject({ userId: UserId });

/** Defines the routes with which a client brings the people of its board. They authenticate clients only. */
export function boardUserRoutes(app: HttpApp, { users, positions, publicUrl }: BoardUserRoutes): void {
  const issuerOf = issuers(publicUrl);
  const own = { for: 'clients' } as const;

  app.put(
    '/v1/users/:externalId',
    {
      config: { ...own, scope: 'users:write', refusals: ['EMAIL_TAKEN', 'ROLE_FIXED', 'USER_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'putUser',
        summary: 'Make an account for a person of the board, or change it; again changes nothing',
        params: z.strictObject({ externalId: ExternalId }),
        body: PutUser,
        response: { 201: UserPut, 200: UserPut.describe('The account was there') },
      },
    },
    async ({ id, client, params: { externalId }, body }, reply) => {
      const asked = { externalId, user: body, correlationId: id };
      const { userId, position, isNew } = await users.put(via(client), asked);
      return reply.code(isNew ? 201 : 200).send({ userId, position: positions.encode(position) });
    },
  );

  app.post(
    '/v1/users/:userId/deactivate',
    {
      config: {
        ...{ ...own, scope: 'users:write', idempotentAs: 'DeactivateUser' },
        refusals: ['USER_NOT_FOUND'],
      },
      schema: {
        tags,
        operationId: 'deactivateUser',
        summary: 'Keep a person of the board out; sessions and sockets end',
        params,
        response: { 200: UserState },
      },
    },
    async ({ client, params: { userId } }) => {
      await users.deactivate(via(client), userId);
      return { userId, active: false };
    },
  );

  app.post(
    '/v1/users/:userId/reactivate',
    {
      config: {
        ...{ ...own, scope: 'users:write', idempotentAs: 'ReactivateUser' },
        refusals: ['USER_NOT_FOUND', 'ACCOUNT_SUSPENDED'],
      },
      schema: {
        tags,
        operationId: 'reactivateUser',
        summary: 'Let a deactivated person in again, unless an operator keeps it out',
        params,
        response: { 200: UserState },
      },
    },
    async ({ client, params: { userId } }) => {
      await users.reactivate(via(client), userId);
      return { userId, active: true };
    },
  );

  app.post(
    '/v1/users/:userId/tokens',
    {
      config: {
        ...{ ...own, scope: 'tokens:issue' },
        refusals: ['USER_NOT_FOUND', 'ACCOUNT_SUSPENDED', 'ROLE_NOT_ALLOWED'],
      },
      schema: {
        tags,
        operationId: 'issueUserToken',
        summary: 'Open a session of a person of the board: its token is for REST and for the socket',
        params,
        body: IssueUserToken,
        response: { 201: UserToken },
      },
    },
    async (request, reply) => {
      const token = await users.openSession(via(request.client), request.params.userId, {
        lifetimeSeconds: request.body.ttlSeconds,
        userAgent: request.headers['user-agent'],
        issuer: issuerOf(request),
      });
      return reply.code(201).send(token);
    },
  );
}

/** Returns the client of a request. Only for routes that authenticate clients. */
const via = (client: ClientSession | undefined) => ({ clientId: client!.clientId });
