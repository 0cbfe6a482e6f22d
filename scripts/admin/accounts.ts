import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Credential, withUnrelatedPassword } from '../../src/auth/credentials.ts';
import { createPasswordHashes } from '../../src/auth/passwords/password-hashes.ts';
import { createRegistration } from '../../src/auth/registration.ts';
import { setUpSecondFactor } from '../../src/auth/second-factor/second-factors.ts';
import { AggregateLoader, type Folded } from '../../src/commands/aggregate-cache.ts';
import { commandHandler } from '../../src/commands/handle-command.ts';
import { createOneAtATime } from '../../src/commands/one-at-a-time.ts';
import { secondFactorParts } from '../../src/compose/auth.ts';
import { openQueries } from '../../src/compose/log.ts';
import { NewDisplayName, Role } from '../../src/events/account.ts';
import type { Stream } from '../../src/events/streams.ts';
import { deriveId, newId } from '../../src/kit/uuids.ts';
import { createCredentials } from '../../src/adapters/postgres/tables/credentials.ts';
import { createSecondFactorStore } from '../../src/adapters/postgres/tables/second-factors.ts';
import { createSessionStore } from '../../src/adapters/postgres/tables/sessions.ts';
import { Misused, Refused, plain } from '../program.ts';
import { type OpenedDatabase, openLog, withDatabase } from '../with-database.ts';
import {
  type AskedAccount,
  type Command,
  accountIn,
  choosePassword,
  emailOf,
  required,
  requireGood,
  shown,
} from './options.ts';

const Owned = withUnrelatedPassword(
  z.object({ email: z.string(), displayName: z.string(), password: z.string() }),
);
const GROUPS_PER_PAGE = 100;

interface Accounts extends OpenedDatabase {
  credentials: ReturnType<typeof createCredentials>;
  sessions: ReturnType<typeof createSessionStore>;
}

const withAccounts = (work: (accounts: Accounts) => Promise<void>, { mayMake = false } = {}): Promise<void> =>
  withDatabase({ name: 'admin', mayMake }, async (opened) => {
    const { pool } = opened;
    return work({ ...opened, credentials: createCredentials(pool), sessions: createSessionStore(pool) });
  });

/** An account as the messages name it: by its address, or its id where it has none. */
type NamedAccount = Credential & { name: string };

/** Does the work with one account. Throws `Refused` when no account has the address or the id. */
const withAccount = (
  asked: AskedAccount,
  work: (account: NamedAccount, accounts: Accounts) => Promise<void>,
) =>
  withAccounts(async (accounts) => {
    const { credentials } = accounts;
    const account =
      'email' in asked ? await credentials.ofEmail(asked.email) : await credentials.ofUser(asked.userId);
    if (!account)
      throw new Refused(
        'email' in asked
          ? `no account has the address ${asked.email}`
          : `no account has the id ${asked.userId}`,
      );
    return work({ ...account, name: account.email ?? account.userId }, accounts);
  });

/** Opens registration, which appends to the log. */
async function openRegistration(accounts: Accounts) {
  const { store } = await openLog(accounts);
  await store.start();
  const handle = commandHandler({
    store,
    loader: new AggregateLoader(store, new LRUCache<Stream, Folded>({ max: 100 })),
    lookups: { message: async () => undefined },
    // An account has no automations, only read models, which follow the log by themselves.
    automate: async () => 0,
    causes: [],
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date(),
  });
  const { credentials } = accounts;
  return createRegistration({ credentials, hashes: await createPasswordHashes(), handle, newId });
}

const createUser: Command = async ({ values, print }) => {
  const email = emailOf(values);
  const role = required(values, 'role', Role);
  const displayName = required(values, 'display-name', NewDisplayName);
  const chosen = await choosePassword(values);
  const { password, made } = chosen;
  requireGood(Owned, { email, displayName, password });
  return withAccounts(
    async (accounts) => {
      const { credentials, pool, config } = accounts;
      const registration = await openRegistration(accounts);
      const { userId } = await registration.register({ email, role, displayName, password });
      await credentials.vouch(true, userId);
      const parts = await secondFactorParts(config, pool);
      const key = values.totp ? await setUpSecondFactor({ userId, email }, parts) : undefined;
      const totp = key ? [`secret of the second factor: ${key.secret}`, key.otpauthUrl] : [];
      print({ userId, role, email, password: made, totp: key }, [
        `created ${role} ${email} with id ${userId}`,
        ...shown(chosen),
        ...totp,
      ]);
    },
    { mayMake: true },
  );
};

const resetPassword: Command = async ({ values, print }) => {
  const asked = accountIn(values);
  const chosen = await choosePassword(values);
  const { password, made } = chosen;
  return withAccount(asked, async ({ userId, email, displayName, passwordHash, name }, { credentials }) => {
    if (passwordHash === null) throw new Refused(`${name} has no password: it is an account of a board`);
    requireGood(Owned, { email, displayName, password });
    const hashes = await createPasswordHashes();
    const ended = (await credentials.replacePassword(userId, await hashes.hash(password)))?.length ?? 0;
    print({ userId, email, endedSessions: ended, password: made }, [
      `changed the password of ${name} and ended ${ended} sessions`,
      ...shown(chosen),
    ]);
  });
};

const resetTotp: Command = ({ values, print }) =>
  withAccount(accountIn(values), async ({ userId, email, name }, { pool }) => {
    if (!(await createSecondFactorStore(pool).remove(userId)))
      throw new Refused(`${name} has no second factor`);
    print({ userId, email }, `removed the second factor of ${name}: its logins need the password alone`);
  });

const suspendUser: Command = ({ values, print }) =>
  withAccount(accountIn(values), async ({ userId, email, name }, { credentials }) => {
    const ended = await credentials.suspend(userId);
    if (!ended) throw new Refused(`${name} is suspended already`);
    print(
      { userId, email, endedSessions: ended.length },
      `suspended ${name} and ended ${ended.length} sessions: it cannot log in, and nothing is sent to it`,
    );
  });

const restoreUser: Command = ({ values, print }) =>
  withAccount(accountIn(values), async ({ userId, email, name }, { credentials }) => {
    if (!(await credentials.restore(userId))) throw new Refused(`${name} is not suspended`);
    print({ userId, email }, `restored ${name}: it can log in again`);
  });

const listSessions: Command = ({ values, print }) =>
  withAccount(accountIn(values), async ({ userId, email }, { sessions }) => {
    const open = await sessions.ofUser(userId);
    print(
      { userId, email, sessions: open },
      open.map(({ sessionId, createdAt, lastUsedAt, userAgent }) => {
        const client = plain(userAgent ?? '');
        return `${sessionId}  since ${createdAt.toISOString()}  last used ${lastUsedAt.toISOString()}  ${client}`.trimEnd();
      }),
    );
  });

const endSessions: Command = ({ values, print }) => {
  const sessionId = values.session === undefined ? undefined : required(values, 'session', z.uuid());
  return withAccount(accountIn(values), async ({ userId, email, name }, { sessions }) => {
    if (sessionId === undefined) {
      const ended = await sessions.revokeAllOf(userId);
      return print({ userId, email, ended }, `ended ${ended.length} sessions of ${name}`);
    }
    if (!(await sessions.revokeOneOf(userId, sessionId)))
      throw new Refused(`${name} has no open session ${sessionId}`);
    print({ userId, email, ended: [sessionId] }, `ended 1 session of ${name}`);
  });
};

/** Sets whether one address, or all, count as verified. */
const vouching =
  (isVerified: boolean): Command =>
  async ({ values, print }) => {
    const isAll = values.all ?? false;
    if (isAll !== (values.email === undefined && values['user-id'] === undefined))
      throw new Misused('either --email or --all is needed');
    const tell = (changed: number) =>
      print(
        { changed },
        `${changed} ${changed === 1 ? 'address counts' : 'addresses count'} as ${isVerified ? '' : 'not '}proved from now on`,
      );
    return isAll
      ? withAccounts(async ({ credentials }) => tell(await credentials.vouch(isVerified)))
      : withAccount(accountIn(values), async ({ userId }, { credentials }) =>
          tell(await credentials.vouch(isVerified, userId)),
        );
  };

const listUsers: Command = ({ print }) =>
  withAccounts(async ({ credentials }) => {
    const users = (await credentials.list()).map(
      ({ userId, role, email, displayName, emailVerified, registered, hasSecondFactor, isSuspended }) => ({
        ...{ userId, role, email, displayName, emailVerified, registered, hasSecondFactor, isSuspended },
      }),
    );
    print(
      { users },
      users.map(({ userId, role, email, emailVerified, registered, hasSecondFactor, isSuspended }) => {
        const notes = [
          emailVerified || email === null ? '' : '  (not verified)',
          registered ? '' : '  (not yet in the log)',
          hasSecondFactor ? '  (second factor)' : '',
          isSuspended ? '  (suspended)' : '',
        ];
        return `${userId}  ${role.padEnd(9)}  ${email ?? '-'}${notes.join('')}`;
      }),
    );
  });

const listGroups: Command = ({ values, print }) =>
  withAccount(accountIn(values), async ({ userId, email }, { log, open, databaseUrl }) => {
    const queries = await openQueries(log, open, { databaseUrl });
    const groups: Awaited<ReturnType<typeof queries.listGroups>>['data'] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await queries.listGroups({ userId, cursor, limit: GROUPS_PER_PAGE });
      groups.push(...page.data);
      cursor = page.nextCursor;
    }
    const found = groups.map(({ groupId, jobId, name, status, myRole, memberCount, headSeq }) => ({
      ...{ groupId, jobId, name, status, role: myRole, memberCount, headSeq },
    }));
    print(
      { userId, email, groups: found },
      found.map(({ groupId, name, status, role, memberCount, headSeq }) => {
        const shownName = plain(name);
        return `${groupId}  ${role.padEnd(6)}  ${status.padEnd(6)}  ${memberCount} members  ${headSeq} events  ${shownName}`;
      }),
    );
  });

export const accountCommands: Record<string, Command> = {
  'create-user': createUser,
  'reset-password': resetPassword,
  'reset-totp': resetTotp,
  'suspend-user': suspendUser,
  'restore-user': restoreUser,
  'list-sessions': listSessions,
  'end-sessions': endSessions,
  'verify-email': vouching(true),
  'unverify-email': vouching(false),
  'list-users': listUsers,
  'list-groups': listGroups,
};
