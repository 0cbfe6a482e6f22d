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
import { type Command, choosePassword, emailOf, required, requireGood, shown } from './options.ts';

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

/** Does the work with one account. Throws `Refused` when no account has the address. */
const withAccount = (email: string, work: (account: Credential, accounts: Accounts) => Promise<void>) =>
  withAccounts(async (accounts) => {
    const account = await accounts.credentials.ofEmail(email);
    if (!account) throw new Refused(`no account has the address ${email}`);
    return work(account, accounts);
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
  const asked = emailOf(values);
  const chosen = await choosePassword(values);
  const { password, made } = chosen;
  return withAccount(asked, async ({ userId, email, displayName }, { credentials }) => {
    requireGood(Owned, { email, displayName, password });
    const hashes = await createPasswordHashes();
    const ended = await credentials.replacePassword(userId, await hashes.hash(password));
    if (!ended) throw new Refused(`${email} has no password: it is an account of a board`);
    print({ userId, email, endedSessions: ended.length, password: made }, [
      `changed the password of ${email} and ended ${ended.length} sessions`,
      ...shown(chosen),
    ]);
  });
};

const resetTotp: Command = ({ values, print }) =>
  withAccount(emailOf(values), async ({ userId, email }, { pool }) => {
    if (!(await createSecondFactorStore(pool).remove(userId)))
      throw new Refused(`${email} has no second factor`);
    print({ userId, email }, `removed the second factor of ${email}: its logins need the password alone`);
  });

const suspendUser: Command = ({ values, print }) =>
  withAccount(emailOf(values), async ({ userId, email }, { credentials }) => {
    const ended = await credentials.suspend(userId);
    if (!ended) throw new Refused(`${email} is suspended already`);
    print(
      { userId, email, endedSessions: ended.length },
      `suspended ${email} and ended ${ended.length} sessions: it cannot log in, and nothing is sent to it`,
    );
  });

const restoreUser: Command = ({ values, print }) =>
  withAccount(emailOf(values), async ({ userId, email }, { credentials }) => {
    if (!(await credentials.restore(userId))) throw new Refused(`${email} is not suspended`);
    print({ userId, email }, `restored ${email}: it can log in again`);
  });

const listSessions: Command = ({ values, print }) =>
  withAccount(emailOf(values), async ({ userId, email }, { sessions }) => {
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
  return withAccount(emailOf(values), async ({ userId, email }, { sessions }) => {
    if (sessionId === undefined) {
      const ended = await sessions.revokeAllOf(userId);
      return print({ userId, email, ended }, `ended ${ended.length} sessions of ${email}`);
    }
    if (!(await sessions.revokeOneOf(userId, sessionId)))
      throw new Refused(`${email} has no open session ${sessionId}`);
    print({ userId, email, ended: [sessionId] }, `ended 1 session of ${email}`);
  });
};

/** Sets whether one address, or all, count as verified. */
const vouching =
  (isVerified: boolean): Command =>
  async ({ values, print }) => {
    const isAll = values.all ?? false;
    if (isAll !== (values.email === undefined)) throw new Misused('either --email or --all is needed');
    const tell = (changed: number) =>
      print(
        { changed },
        `${changed} ${changed === 1 ? 'address counts' : 'addresses count'} as ${isVerified ? '' : 'not '}proved from now on`,
      );
    return isAll
      ? withAccounts(async ({ credentials }) => tell(await credentials.vouch(isVerified)))
      : withAccount(emailOf(values), async ({ userId }, { credentials }) =>
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
  withAccount(emailOf(values), async ({ userId, email }, { log, open, databaseUrl }) => {
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
