import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createAccessTokens } from '../src/auth/tokens/access-tokens.ts';
import { createAccessKeys } from '../src/auth/tokens/access-keys.ts';
import { loadSigningKey, makeSigningKey } from '../src/auth/tokens/signing-keys.ts';
import type { Role } from '../src/events/account.ts';
import type { EventStore } from '../src/events/event-store.ts';
import type { UserId } from '../src/events/ids.ts';
import { type ServerProcess, startServer } from '../tools/server-process.ts';
import type { Member } from './member.ts';
import { openEventStoreDbLog, openLog } from './log.ts';
import { startPostgres, temporaryFolder } from './postgres.ts';
import type { World } from './world.ts';

const TOKEN_SECONDS = 3_600;
/** The issuer of the tokens as well; nothing connects to it. */
const PUBLIC_URL = 'http://chat.example';

/** The environment of every measured server. */
export const BENCH_ENV = {
  PUBLIC_URL,
  LOG_LEVEL: 'info',
  ACCESS_TOKEN_SECONDS: String(TOKEN_SECONDS),
  MESSAGES_PER_MINUTE: '1000000',
  REQUESTS_PER_MINUTE: '100000000',
  ANONYMOUS_REQUESTS_PER_MINUTE: '100000000',
  LOGINS_PER_MINUTE: '1000000',
};

/**
 * Makes access tokens like those of a login, without the time that a login takes; `pem` is the servers' key.
 */
export async function benchTokens(): Promise<{
  pem: string;
  of: (userId: UserId, role?: Role) => Promise<string>;
}> {
  const pem = makeSigningKey('ES256');
  const keys = createAccessKeys({
    given: await loadSigningKey(pem),
    ring: { accepted: () => [], look: async () => {} },
  });
  const tokens = createAccessTokens({ keys, issuer: PUBLIC_URL, lifetimeSeconds: TOKEN_SECONDS });
  return { pem, of: (userId, role = 'applicant') => tokens.issue({ userId, role }, randomUUID()) };
}

export interface RunningServer<T> {
  server: ServerProcess;
  /** The result of `fill`. */
  filled: T;
  /** Makes an access token like that of a login. */
  tokenOf: (userId: UserId, role?: Role) => Promise<string>;
  stop: () => Promise<void>;
}

/**
 * Starts `node src/main.ts` in a process of its own, on new data, by default without effective limits. `fill`
 * writes to the log before the start. With `isSealed: false` personal text stays as it is, and nothing signs checkpoints. The server is ready once its read models have caught up.
 */
export async function startFilledServer<T>(
  fill: (store: EventStore) => Promise<T>,
  nodeArgs: string[] = [],
  { env = BENCH_ENV, isSealed = true }: { env?: Record<string, string>; isSealed?: boolean } = {},
): Promise<RunningServer<T>> {
  const dataDir = await temporaryFolder();
  const postgres = await startPostgres(dataDir);
  const { EVENTSTOREDB_URL: url } = env;
  const { ownerUrl } = postgres;
  const log =
    url === undefined
      ? await openLog(ownerUrl, { dataDir, isSealed })
      : await openEventStoreDbLog({ url, ownerUrl, dataDir });
  const filled = await fill(log.store);
  await log.close();
  await postgres.stop();
  const tokens = await benchTokens();
  const server = await startServer({
    dataDir,
    nodeArgs: isSealed ? nodeArgs : [...nodeArgs, '--import', './bench/without-sealing.ts'],
    readyWithinMs: 300_000,
    env: { ...env, JWT_PRIVATE_KEY: tokens.pem },
  });
  return {
    server,
    filled,
    tokenOf: tokens.of,
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Returns every member of every group of a world, with a token. */
export async function membersOf({
  filled,
  tokenOf,
}: Pick<RunningServer<World>, 'filled' | 'tokenOf'>): Promise<Member[]> {
  return Promise.all(
    filled.groups.flatMap(({ groupId, members }) =>
      members.map(async (userId, index) => ({
        ...{ userId, groupId },
        token: await tokenOf(userId, index === 0 ? 'company' : 'applicant'),
      })),
    ),
  );
}
