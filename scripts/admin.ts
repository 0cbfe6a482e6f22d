import { z } from 'zod';
import { openTextSeal } from '../src/compose/text-seal.ts';
import { makeMasterKey } from '../src/compose/master-keys.ts';
import { readConfig } from '../src/config.ts';
import { rewrapKeys } from '../src/privacy/key-ring.ts';
import { postgresAddress, postgresUrl } from '../src/config/setting-kinds.ts';
import { loginsOf } from '../src/adapters/postgres/logins.ts';
import { prepareServer, psqlScript } from '../src/adapters/postgres/prepare-server.ts';
import { createOutbox } from '../src/adapters/postgres/notifications/outbox.ts';
import { runningNodes } from '../src/adapters/postgres/nodes.ts';
import { createReaderLogin } from '../src/adapters/postgres/prepare-database.ts';
import { accountCommands } from './admin/accounts.ts';
import { clientCommands } from './admin/clients.ts';
import { type Command, LoginName, adminOptions, choosePassword, required, shown } from './admin/options.ts';
import { rotateKeyCommand } from './admin/rotate-key.ts';
import { Misused, count, plain, program } from './program.ts';
import { withDatabase, withServer } from './with-database.ts';

const USAGE = `Usage: npm run admin -- <command> [options]

  create-user     --email <address> --role company|applicant|auditor|admin --display-name <name>
                  [--password <password> | --password-stdin] [--totp]
                  with --totp also a second factor, whose secret is printed once
  reset-password  --email <address> [--password <password> | --password-stdin]
  reset-totp      --email <address>              removes the second factor
  suspend-user    --email <address>              ends its sessions; it cannot log in, and nothing is sent to it
  restore-user    --email <address>              it can log in again
  list-users
  list-groups     --email <address>              the groups that it is a member of
  list-sessions   --email <address>
  end-sessions    --email <address> [--session <id>]
  verify-email    --email <address> | --all      the address counts as proved: mail goes to it
  unverify-email  --email <address> | --all      it gets letters of verification only
  Where --email names an account, --user-id does as well: those of a board may have no address.
  create-client   --name <name> --scopes "<scope> <scope>" [--public-key <file> [--with-secret]]
                  a program of a board; its secret is printed once. With a public key (JWK, JWK Set, PEM) it signs
                  assertions instead, or with --with-secret either. Scopes: users:write tokens:issue jobs:write
                  applications:write messages:write messages:read
  rotate-client-secret  --client <id>            prints one more secret; two are accepted at a time
  end-client-secret     --client <id>            ends the older of two secrets
  set-client-keys       --client <id> --public-key <file>
  list-clients
  disable-client  --client <id>                  ends its tokens and those of its users; it gets no others
  enable-client   --client <id>
  list-nodes      the processes that run on this database
  show-queue      the mails and push messages that have not been sent yet, the longest due first
  create-master-key [--kms <key id or ARN>]
                  prints a new key for MASTER_KEY; with --kms one that this key of AWS KMS encrypts and decrypts, with the
                  region and the credentials of every AWS SDK
  rotate-key      [--key access-tokens|links] [--lead-minutes <minutes> | --now]
                  makes a new key of access tokens (default) or of the links in letters. It signs after 10 minutes (links:
                  1), which all that check it have to learn of it, and the old one is accepted until the last thing that
                  it signed ends. --now is for a leaked key: the new one signs at once, and the old one is gone, with all
                  tokens or links that it signed
  rotate-master-key              wraps the keys of personal text with the first key of MASTER_KEY, so that the others
                  can be taken away
  create-database-login  --role sealer|auditor --user <name> [--password <password> | --password-stdin]
                  as the owner of the database: creates a login that reads the log, and as sealer keeps the seals,
                  or changes its password
  prepare-database  --as <url of a superuser> | --print-sql  [--roles-of <database>]
                  makes what a server of PostgreSQL needs before the first start and before a backup is restored, if it is
                  missing: the users in DATABASE_URL and DATABASE_OWNER_URL with their passwords, the database, its rights.
                  Afterwards no user needs to make roles. Instead of a superuser, a role that may create roles and
                  databases. PGPASSWORD can have the password. --print-sql prints a script for psql instead. The roles
                  are named after the database, or after that of --roles-of, whose dump is to be restored
  prepare-eventstoredb  --user <name> [--password <password> | --password-stdin]
                  as the administrator in EVENTSTOREDB_URL: creates this user for the server, or resets its password,
                  and restricts all streams to it and the administrators

  --json          prints the result as JSON

Without a password one is made and printed once. Works on DATABASE_URL, or on the database in DATA_DIR whether the
server runs or not. Only create-user makes a database where there is none.
`;

const createMasterKey: Command = async ({ values, print }) => {
  const masterKey = await makeMasterKey(values.kms);
  print({ masterKey }, masterKey);
};

const rotateMasterKey: Command = ({ print }) =>
  withDatabase({ name: 'admin' }, async ({ config, log, pool }) => {
    const { stored, masters } = await openTextSeal(config, log, pool);
    const rewrapped = await rewrapKeys(stored, masters);
    const [{ id }] = masters;
    print(
      { rewrapped, masterKeyId: id },
      `wrapped ${rewrapped} keys with the master key ${id}: no other one is needed any more`,
    );
  });

const listNodes: Command = ({ print }) =>
  withDatabase({ name: 'admin' }, async ({ pool }) => {
    const nodes = await runningNodes(pool);
    print(
      { nodes },
      nodes.map(({ nodeId, host, version, roles, hasRedis, startedAt }) => {
        const shared = hasRedis ? '' : '  (without Redis)';
        return `${nodeId}  ${host}  ${version}  since ${startedAt.toISOString()}  ${roles.join(', ')}${shared}`;
      }),
    );
  });

const showQueue: Command = ({ print }) =>
  withDatabase({ name: 'admin' }, async ({ pool }) => {
    const outbox = createOutbox({ pool });
    const [{ waiting, parked, oldestUnpublishedSeconds }, batches] = await Promise.all([
      outbox.backlog(),
      outbox.unsent(),
    ]);
    print({ waiting, parked, oldestUnpublishedSeconds, batches }, [
      `${count(waiting)} notifications wait, the oldest due batch for ${count(oldestUnpublishedSeconds)} s; ${count(parked)} batches are parked`,
      ...batches.map(({ batchId, publishAt, channel, recipientId, attempts, lastError }) => {
        const error = plain(lastError ?? '');
        return `${batchId}  due ${publishAt}  ${channel.padEnd(5)}  ${recipientId}  ${attempts} failures  ${error}`.trimEnd();
      }),
    ]);
  });

/** Needs no database: the server may not have been started yet. */
const prepareEventStoreDb: Command = async ({ values, print }) => {
  const { eventStoreDbUrl: url } = readConfig(process.env);
  if (url === undefined)
    throw new Misused('EVENTSTOREDB_URL must be set, with the name and password of an administrator');
  const user = required(values, 'user', LoginName);
  const chosen = await choosePassword(values);
  const { grantAccess } = await import('../src/adapters/eventstoredb/access.ts');
  await grantAccess(url, user, chosen.password);
  print({ user, password: chosen.made }, [
    `${user} may read the log and append to it; only administrators may delete streams`,
    ...shown(chosen),
  ]);
};

/** Works as the owner, whose rights the other commands do not have. */
const createDatabaseLogin: Command = async ({ values, print }) => {
  const role = required(values, 'role', z.enum(['sealer', 'auditor']));
  const user = required(values, 'user', LoginName);
  const chosen = await choosePassword(values);
  return withServer({ mayMake: false }, async ({ url, ownerUrl }) => {
    await createReaderLogin(ownerUrl ?? url, role, { user, password: chosen.password });
    const also = role === 'sealer' ? ' and keep the seals' : ' and the seals, and write nothing';
    print({ user, role, password: chosen.made }, [`${user} may read the log${also}`, ...shown(chosen)]);
  });
};

/** Works on a server where the database may be missing. */
const prepareDatabaseCommand: Command = async ({ values, print }) => {
  const isScript = values['print-sql'] ?? false;
  if (isScript === (values.as !== undefined)) throw new Misused('--as: is needed, or --print-sql instead');
  const { databaseUrl, databaseOwnerUrl } = readConfig(process.env);
  if (databaseUrl === undefined)
    throw new Misused('DATABASE_URL must be set: the embedded PostgreSQL needs no preparation');
  const logins = loginsOf(databaseUrl, databaseOwnerUrl);
  const rolesFrom =
    values['roles-of'] === undefined ? undefined : required(values, 'roles-of', z.string().min(1));
  if (isScript) {
    const sql = psqlScript(logins, rolesFrom);
    print({ sql }, sql.trimEnd());
    return;
  }
  const adminUrl = postgresAddress(required(values, 'as', postgresUrl().unwrap()));
  const { isNew, roles } = await prepareServer(adminUrl, logins, rolesFrom);
  const [owner, application] = [logins.ownerUrl, logins.applicationUrl].map((url) =>
    decodeURIComponent(new URL(url).username),
  );
  const database = decodeURIComponent(new URL(logins.ownerUrl).pathname.slice(1));
  print({ database, isNew, owner, application, roles }, [
    `${database} ${isNew ? 'is made' : 'was there'}; ${owner} owns it, ${application} is the user of the application`,
    `its roles are ${Object.values(roles).join(', ')}`,
  ]);
};

const commands: Record<string, Command> = {
  ...accountCommands,
  ...clientCommands,
  'list-nodes': listNodes,
  'show-queue': showQueue,
  'create-master-key': createMasterKey,
  'rotate-key': rotateKeyCommand,
  'rotate-master-key': rotateMasterKey,
  'create-database-login': createDatabaseLogin,
  'prepare-database': prepareDatabaseCommand,
  'prepare-eventstoredb': prepareEventStoreDb,
};

await program(USAGE, adminOptions, async ({ values, positionals, print }) => {
  const [name = '', ...rest] = positionals;
  if (!Object.hasOwn(commands, name) || rest.length > 0) throw new Misused();
  await commands[name]!({ values, print });
});
