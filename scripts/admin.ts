import { randomBytes } from 'node:crypto';
import { text as readText } from 'node:stream/consumers';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { z } from 'zod';
import { NewPassword, withUnrelatedPassword } from '../src/auth/credentials.ts';
import { EmailAddress } from '../src/auth/email-address.ts';
import { createPasswordHashes } from '../src/auth/passwords/password-hashes.ts';
import { createRegistration } from '../src/auth/registration.ts';
import { setUpSecondFactor } from '../src/auth/second-factor/second-factors.ts';
import { AggregateLoader, type Folded } from '../src/commands/aggregate-cache.ts';
import { commandHandler } from '../src/commands/handle-command.ts';
import { openKeys, secondFactorParts } from '../src/compose/auth.ts';
import { createLog } from '../src/compose/log.ts';
import { makeMasterKey } from '../src/compose/master-keys.ts';
import { BadConfig, readConfig } from '../src/config.ts';
import { NewDisplayName, Role } from '../src/events/account.ts';
import type { Stream } from '../src/events/streams.ts';
import { rewrapKeys } from '../src/privacy/key-ring.ts';
import { type Closers, closers } from '../src/kit/closers.ts';
import { deriveId, newId } from '../src/kit/uuids.ts';
import { createOneAtATime } from '../src/commands/one-at-a-time.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createCredentials } from '../src/adapters/postgres/tables/credentials.ts';
import { createSessionStore } from '../src/adapters/postgres/tables/sessions.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { createReaderLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { argumentsOf } from './arguments.ts';

const USAGE = `Usage: npm run admin -- <command> [options]

  create-user     --email <address> --role company|applicant|auditor|admin --display-name <name>
                  [--password <password> | --password-stdin] [--totp]
                  with --totp also a second factor, whose secret is printed once
  reset-password  --email <address> [--password <password> | --password-stdin]
  reset-totp      --email <address>              removes the second factor
  end-sessions    --email <address>
  verify-email    --email <address> | --all      the address counts as proved: mail goes to it
  unverify-email  --email <address> | --all      it gets letters of verification only
  list-users
  create-master-key [--kms <key id or ARN>]
                  prints a new key for MASTER_KEY; with --kms one that this key of AWS KMS encrypts and decrypts, with the
                  region and the credentials of every AWS SDK
  rotate-master-key              wraps the keys of personal text with the first key of MASTER_KEY, so that the others
                  can be taken away
  create-database-login  --role sealer|auditor --user <name> [--password <password> | --password-stdin]
                  as the owner of the database: creates a login that reads the log, and as sealer keeps the seals,
                  or changes its password
  prepare-eventstoredb  --user <name> [--password <password> | --password-stdin]
                  as the administrator in EVENTSTOREDB_URL: creates this user for the server, or resets its password,
                  and restricts all streams to it and the administrators

Without a password one is made and printed once. Works on DATABASE_URL, or on the database in DATA_DIR whether the
server runs or not.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

const { values, positionals } = readArguments();

function readArguments() {
  const string = { type: 'string' } as const;
  return argumentsOf(USAGE, {
    email: string,
    user: string,
    role: string,
    kms: string,
    'display-name': string,
    password: string,
    'password-stdin': { type: 'boolean' },
    all: { type: 'boolean' },
    totp: { type: 'boolean' },
  });
}

function required<T>(name: 'email' | 'role' | 'display-name' | 'user', schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(values[name]);
  if (parsed.success) return parsed.data;
  throw new Refused(
    `--${name}: ${values[name] === undefined ? 'is missing' : parsed.error.issues[0]?.message}`,
  );
}

/** The name of a login of PostgreSQL or EventStoreDB. */
const LoginName = z
  .string()
  .regex(/^[\w.-]{1,63}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores');

interface Chosen {
  password: string;
  isMade: boolean;
}

/** Returns the given password, or a new one to show. */
async function choosePassword(): Promise<Chosen> {
  const given = values['password-stdin']
    ? (await readText(process.stdin)).replace(/\r?\n$/, '')
    : values.password;
  if (given === undefined) return { password: randomBytes(15).toString('base64url'), isMade: true };
  requireGood(NewPassword, given);
  return { password: given, isMade: false };
}

function requireGood(schema: z.ZodType, password: unknown): void {
  const parsed = schema.safeParse(password);
  if (!parsed.success) throw new Refused(`password: ${parsed.error.issues[0]?.message}`);
}

const Owned = withUnrelatedPassword(
  z.object({ email: z.string(), displayName: z.string(), password: z.string() }),
);

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Opens the resources of the commands. */
async function connect(log: Logger, open: Closers) {
  const config = readConfig(process.env);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  open.add('database', () => database.close());
  const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
  const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 2, applicationName: 'admin', log });
  open.add('pool', () => pool.end());
  const { store, textKeys } = await createLog(config, log, { databaseUrl, pool });
  open.add('log', () => store.close());
  await store.start();
  const cache = new LRUCache<Stream, Folded>({ max: 100 });
  const handle = commandHandler({
    store,
    loader: new AggregateLoader(store, cache),
    lookups: { message: async () => undefined },
    // An account has no automations, only read models, which follow the log by themselves.
    automate: async () => 0,
    causes: [],
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date(),
  });
  const credentials = createCredentials(pool);
  const hashes = await createPasswordHashes();
  return {
    textKeys,
    credentials,
    hashes,
    secondFactors: secondFactorParts(config, await openKeys(config, pool), pool),
    sessions: createSessionStore(pool),
    registration: createRegistration({ credentials, hashes, handle, newId }),
  };
}
type Connected = Awaited<ReturnType<typeof connect>>;

async function findUser({ credentials }: Connected) {
  const email = required('email', EmailAddress);
  const found = await credentials.ofEmail(email);
  if (!found) throw new Refused(`no account has the address ${email}`);
  return found;
}

/** Sets whether one address, or all, count as verified. */
function vouching(isVerified: boolean) {
  return async () => {
    const isAll = values.all ?? false;
    if (isAll !== (values.email === undefined)) throw new Refused('either --email or --all is needed');
    if (!isAll) required('email', EmailAddress);
    return async (to: Connected) => {
      const userId = isAll ? undefined : (await findUser(to)).userId;
      const changed = await to.credentials.vouch(isVerified, userId);
      say(
        `${changed} ${changed === 1 ? 'address counts' : 'addresses count'} as ${isVerified ? '' : 'not '}proved from now on`,
      );
    };
  };
}

/** Each command reads its options first, so that a mistake is reported before anything starts. */
const commands: Record<string, () => Promise<(to: Connected) => Promise<void>>> = {
  async 'create-user'() {
    const email = required('email', EmailAddress);
    const role = required('role', Role);
    const displayName = required('display-name', NewDisplayName);
    const { password, isMade } = await choosePassword();
    requireGood(Owned, { email, displayName, password });
    return async ({ registration, credentials, secondFactors }) => {
      const { userId } = await registration.register({ email, role, displayName, password });
      await credentials.vouch(true, userId);
      const key = values.totp ? await setUpSecondFactor({ userId, email }, secondFactors) : undefined;
      say(`created ${role} ${email} with id ${userId}`);
      if (isMade) say(`password: ${password}`);
      if (key) say(`secret of the second factor: ${key.secret}\n${key.otpauthUrl}`);
    };
  },
  async 'rotate-master-key'() {
    return async ({ textKeys: { stored, masters } }) => {
      const rewrapped = await rewrapKeys(stored, masters);
      say(`wrapped ${rewrapped} keys with the master key ${masters[0].id}: no other one is needed any more`);
    };
  },
  async 'reset-totp'() {
    required('email', EmailAddress);
    return async (to) => {
      const { userId, email } = await findUser(to);
      if (!(await to.secondFactors.store.remove(userId))) throw new Refused(`${email} has no second factor`);
      say(`removed the second factor of ${email}: its logins need the password alone`);
    };
  },
  async 'reset-password'() {
    required('email', EmailAddress);
    const { password, isMade } = await choosePassword();
    return async (to) => {
      const { userId, email, displayName } = await findUser(to);
      requireGood(Owned, { email, displayName, password });
      const ended = await to.credentials.replacePassword(userId, await to.hashes.hash(password));
      say(`changed the password of ${email} and ended ${ended?.length ?? 0} sessions`);
      if (isMade) say(`password: ${password}`);
    };
  },
  async 'end-sessions'() {
    required('email', EmailAddress);
    return async (to) => {
      const { userId, email } = await findUser(to);
      const ended = await to.sessions.revokeAllOf(userId);
      say(`ended ${ended.length} sessions of ${email}`);
    };
  },
  'verify-email': vouching(true),
  'unverify-email': vouching(false),
  async 'list-users'() {
    return async ({ credentials }) => {
      for (const { userId, role, email, ...account } of await credentials.list()) {
        const notes = [
          account.emailVerified ? '' : '  (not verified)',
          account.registered ? '' : '  (not yet in the log)',
          account.hasSecondFactor ? '  (second factor)' : '',
        ];
        say(`${userId}  ${role.padEnd(9)}  ${email}${notes.join('')}`);
      }
    };
  },
};

/** Needs no database: the server may not have been started yet. */
async function prepareEventStoreDb(): Promise<void> {
  const { eventStoreDbUrl: url } = readConfig(process.env);
  if (url === undefined)
    throw new Refused('EVENTSTOREDB_URL must be set, with the name and password of an administrator');
  const user = required('user', LoginName);
  const { password, isMade } = await choosePassword();
  const { grantAccess } = await import('../src/adapters/eventstoredb/access.ts');
  await grantAccess(url, user, password);
  say(`${user} may read the log and append to it; only administrators may delete streams`);
  if (isMade) say(`password: ${password}`);
}

/** Works as the owner, whose rights the other commands do not have. */
async function createDatabaseLogin(): Promise<void> {
  const reader = required('role', z.enum(['sealer', 'auditor']));
  const user = required('user', LoginName);
  const { password, isMade } = await choosePassword();
  const { databaseUrl, databaseOwnerUrl, dataDir } = readConfig(process.env);
  const log = createLogger({ level: 'error' });
  const database = await openDatabase({ databaseUrl, dataDir, log });
  try {
    await createReaderLogin(databaseOwnerUrl ?? database.ownerUrl, reader, { user, password });
    const also = reader === 'sealer' ? ' and keep the seals' : ' and the seals, and write nothing';
    say(`${user} may read the log${also}`);
    if (isMade) say(`password: ${password}`);
  } finally {
    await database.close();
  }
}

const ALONE: Record<string, () => Promise<void>> = {
  'create-master-key': async () => say(await makeMasterKey(values.kms)),
  'prepare-eventstoredb': prepareEventStoreDb,
  'create-database-login': createDatabaseLogin,
};

async function run(): Promise<void> {
  const alone = ALONE[positionals.join()];
  if (alone) return alone();
  const prepare = positionals.length === 1 ? commands[positionals[0]!] : undefined;
  if (!prepare) throw new Refused(USAGE);
  const command = await prepare();
  const log = createLogger({ level: 'error' });
  const open = closers(log);
  try {
    await command(await connect(log, open));
  } finally {
    await open.closeAll();
  }
}

try {
  await run();
} catch (error) {
  const lines =
    error instanceof BadConfig ? error.lines : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
