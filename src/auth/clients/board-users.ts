import { z } from 'zod';
import type { Actor } from '../../commands/command.ts';
import { changeProfile } from '../../commands/account/change-profile.ts';
import type { HandleCommand, Request } from '../../commands/handle-command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { NewDisplayName, Role } from '../../events/account.ts';
import type { Position, Via } from '../../events/event-store.ts';
import { UserId } from '../../events/ids.ts';
import { type Credentials, EmailTaken } from '../credentials.ts';
import { EmailAddress } from '../email-address.ts';
import { recordAccount } from '../registration.ts';
import { AuthenticationFailed } from '../session.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';

/** The board's own name of a person: 1 to 255 visible characters of ASCII. It fits into a path. */
export const ExternalId = z.string().regex(/^[!-~]{1,255}$/, 'Must be 1 to 255 visible characters of ASCII');

/** An account as its client describes it. Clients make no auditors and no admins. */
export const BoardUser = z.strictObject({
  role: Role.extract(['company', 'applicant']),
  displayName: NewDisplayName,
  email: EmailAddress.nullish(),
  emailVerified: z.boolean().nullish(),
});
export type BoardUser = z.infer<typeof BoardUser>;

/** An account that a client has made, as it is stored. */
export interface StoredBoardUser {
  userId: UserId;
  role: Role;
  /** The name that it was made with. The log has the current one. */
  displayName: string;
  email: string | null;
  emailVerified: boolean;
  /** False until the log holds AccountRegistered. */
  registered: boolean;
}

/** The port of the accounts that clients have made. */
export interface BoardUserStore {
  find(clientId: string, externalId: string): Promise<StoredBoardUser | undefined>;
  /**
   * Stores a new account, and writes a verification letter to an address that is not verified. Resolves with false
   * when the client has an account of that name already. Throws `EmailTaken`.
   */
  add(clientId: string, externalId: string, user: StoredBoardUser): Promise<boolean>;
  /** Changes the address, and writes a verification letter to one that is not verified. Throws `EmailTaken`. */
  setEmail(userId: UserId, email: string, isVerified: boolean): Promise<void>;
  /** Resolves with the account of that id, whoever has made it; `clientId` is null for one that no client has made. */
  ofUser(userId: UserId): Promise<{ clientId: string | null; role: Role; isSuspended: boolean } | undefined>;
  /** Suspends an account, and ends its sessions. Resolves with the ids of those that were open. */
  deactivate(userId: UserId, clientId: string): Promise<string[]>;
  /** Takes that back. Resolves with false when an operator has suspended the account. */
  reactivate(userId: UserId): Promise<boolean>;
  /** Opens a session for a client. Resolves with false when the account is suspended. */
  openSession(session: {
    sessionId: string;
    userId: UserId;
    clientId: string;
    lifetimeSeconds: number;
    userAgent: string | null;
  }): Promise<boolean>;
}

/** The role of an account cannot change. */
export class RoleFixed extends Error {
  override readonly name = 'RoleFixed';
  readonly code = 'ROLE_FIXED';
}

/** A token of a user, for its client. */
export interface UserToken {
  accessToken: string;
  expiresIn: number;
}

/** How a session of a user is opened. `issuer` as for `AccessTokens`. */
export interface UserTokenRequest {
  lifetimeSeconds: number;
  userAgent: string | undefined;
  issuer: string;
}

/** The accounts of a board. Each client knows its own only: others are as unknown as if they did not exist. */
export interface BoardUsers {
  /**
   * Makes the account, or changes it to what is given; without an address it keeps the one that it has. Again, and
   * after a crash in between, it finishes what was begun. Throws `RoleFixed` and `EmailTaken`.
   */
  put(
    client: Via,
    asked: { externalId: string; user: BoardUser; correlationId: string },
  ): Promise<{ userId: UserId; position: Position; isNew: boolean }>;
  find(client: Via, externalId: string): Promise<StoredBoardUser | undefined>;
  /** These throw `CommandRejected` with USER_NOT_FOUND. `reactivate` throws `AuthenticationFailed` as well. */
  deactivate(client: Via, userId: UserId): Promise<void>;
  reactivate(client: Via, userId: UserId): Promise<void>;
  /**
   * Opens a session of the user, without a refresh token. Throws `CommandRejected`, and `AuthenticationFailed` for an
   * account that is suspended.
   */
  openSession(client: Via, userId: UserId, asked: UserTokenRequest): Promise<UserToken>;
  /**
   * Resolves with the user for whom a client may act. Throws `CommandRejected` with ROLE_NOT_ALLOWED for auditors and
   * admins, and otherwise like `openSession`.
   */
  actorFor(client: Via, userId: UserId): Promise<Actor>;
}

const LONGEST_USER_AGENT = 200;

export function createBoardUsers({
  store,
  credentials,
  accessTokens,
  handle,
  onEnded,
  newId,
}: {
  store: BoardUserStore;
  credentials: Pick<Credentials, 'markRegistered'>;
  accessTokens: Pick<AccessTokens, 'issue'>;
  handle: HandleCommand;
  /** Called at once with every session that ends here. */
  onEnded: (sessionId: string) => void;
  newId: () => string;
}): BoardUsers {
  const notFound = () => new CommandRejected('USER_NOT_FOUND');

  async function actorFor({ clientId }: Via, userId: UserId): Promise<Actor> {
    const found = await store.ofUser(userId);
    if (!found) throw notFound();
    const { role } = found;
    if (role === 'auditor' || role === 'admin') throw new CommandRejected('ROLE_NOT_ALLOWED');
    if (found.clientId !== clientId) throw notFound();
    if (found.isSuspended) throw new AuthenticationFailed('ACCOUNT_SUSPENDED');
    return { userId, role };
  }

  async function requireOwn({ clientId }: Via, userId: UserId): Promise<void> {
    if ((await store.ofUser(userId))?.clientId !== clientId) throw notFound();
  }

  /** Resolves with the stored account, new or not. A name that is taken at the same time is that of the same account. */
  async function stored(clientId: string, externalId: string, { role, displayName, ...address }: BoardUser) {
    const known = await store.find(clientId, externalId);
    if (known) return { account: known, isNew: false };
    const account: StoredBoardUser = {
      ...{ userId: UserId.parse(newId()), role, displayName, registered: false },
      email: address.email ?? null,
      emailVerified: (address.email ?? null) !== null && (address.emailVerified ?? false),
    };
    try {
      if (await store.add(clientId, externalId, account)) return { account, isNew: true };
    } catch (error) {
      const winner = error instanceof EmailTaken && (await store.find(clientId, externalId));
      if (!winner) throw error;
    }
    return { account: (await store.find(clientId, externalId))!, isNew: false };
  }

  return {
    async put({ clientId }, { externalId, user, correlationId }) {
      const { account, isNew } = await stored(clientId, externalId, user);
      const { userId } = account;
      if (account.role !== user.role) throw new RoleFixed();
      const { email, emailVerified } = { ...user, emailVerified: user.emailVerified ?? false };
      const isOther = email !== undefined && email !== null && email !== account.email;
      if (isOther || (email && emailVerified && !account.emailVerified))
        await store.setEmail(userId, email, emailVerified);
      const request: Request = { actor: 'system', correlationId, via: { clientId } };
      let position: Position = 0;
      if (!account.registered) position = await recordAccount(account, { handle, credentials, request });
      if (isNew) return { userId, position, isNew };
      const change = { userId, displayName: user.displayName };
      return { userId, position: (await handle(changeProfile, change, request)).position, isNew };
    },
    find: ({ clientId }, externalId) => store.find(clientId, externalId),
    async deactivate(client, userId) {
      await requireOwn(client, userId);
      (await store.deactivate(userId, client.clientId)).forEach(onEnded);
    },
    async reactivate(client, userId) {
      await requireOwn(client, userId);
      if (!(await store.reactivate(userId))) throw new AuthenticationFailed('ACCOUNT_SUSPENDED');
    },
    async openSession(client, userId, { lifetimeSeconds, userAgent, issuer }) {
      const actor = await actorFor(client, userId);
      const sessionId = newId();
      const { clientId } = client;
      const isOpen = await store.openSession({
        ...{ sessionId, userId, clientId, lifetimeSeconds },
        userAgent: userAgent?.slice(0, LONGEST_USER_AGENT) ?? null,
      });
      if (!isOpen) throw new AuthenticationFailed('ACCOUNT_SUSPENDED');
      const accessToken = await accessTokens.issue(actor, sessionId, issuer, { clientId, lifetimeSeconds });
      return { accessToken, expiresIn: lifetimeSeconds };
    },
    actorFor,
  };
}
