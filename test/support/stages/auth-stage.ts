import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { createAccountTokens } from '../../../src/auth/tokens/account-tokens.ts';
import { createAccessTokens } from '../../../src/auth/tokens/access-tokens.ts';
import { createAddresses } from '../../../src/auth/addresses.ts';
import { createAuthenticate, createIdentify } from '../../../src/auth/authenticate.ts';
import { createCheckPassword } from '../../../src/auth/passwords/check-password.ts';
import { type Bonds, createInvitations } from '../../../src/auth/invitations.ts';
import { createLogIn } from '../../../src/auth/log-in.ts';
import { createPasswordHashes } from '../../../src/auth/passwords/password-hashes.ts';
import { createPasswords } from '../../../src/auth/passwords/passwords.ts';
import { createRegistration } from '../../../src/auth/registration.ts';
import { createRevocations } from '../../../src/auth/revocations.ts';
import { createSealedSecrets } from '../../../src/auth/second-factor/sealed-secrets.ts';
import { createSecondFactors } from '../../../src/auth/second-factor/second-factors.ts';
import { createSessions } from '../../../src/auth/sessions.ts';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import { ACCESS_KEYS, createAccessKeys, keepAccessKey } from '../../../src/auth/tokens/access-keys.ts';
import { openKeyRing } from '../../../src/auth/tokens/key-rings.ts';
import { loadSigningKey } from '../../../src/auth/tokens/signing-keys.ts';
import { accountOf } from '../../../src/commands/account/account.ts';
import { createOneAtATime } from '../../../src/commands/one-at-a-time.ts';
import type { UserId } from '../../../src/events/ids.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createCredentials } from '../../../src/adapters/postgres/tables/credentials.ts';
import { createInvitationStore } from '../../../src/adapters/postgres/tables/invitations.ts';
import { createRevokedSessions, createSessionStore } from '../../../src/adapters/postgres/tables/sessions.ts';
import { createSecondFactorStore } from '../../../src/adapters/postgres/tables/second-factors.ts';
import { createSigningKeyStore } from '../../../src/adapters/postgres/tables/signing-keys.ts';
import { commands } from '../language/command-stage.ts';
import { createTestDatabase } from './database.ts';
import { rateLimitsOf } from './rate-limits.ts';

export const silent = pino({ level: 'silent' });

/** Enough connections that callers wait for each other's rows, not only for connections. */
export const CONNECTIONS = 8;

/** All of src/auth over a real PostgreSQL; only the log is in memory. */
export async function authStage({ url }: { url?: string } = {}) {
  const database = url === undefined ? await createTestDatabase() : undefined;
  const appUrl = url ?? database!.url;
  const pool = new pg.Pool({ connectionString: appUrl, max: CONNECTIONS });
  pool.on('error', () => {});
  const { handle, loader, log } = await commands();
  /** The clock that codes follow. */
  const clock = { now: Date.now() };
  const credentials = createCredentials(pool);
  const hashes = await createPasswordHashes();
  const registration = createRegistration({ credentials, hashes, handle, newId });
  const rateLimits = rateLimitsOf({ failedLoginsPerMinute: 10, loginsPerMinute: 60 });
  const store = createSigningKeyStore(pool);
  await keepAccessKey(store, 'ES256');
  const ring = await openKeyRing({ name: ACCESS_KEYS, store, parse: loadSigningKey, log: silent });
  const accessKeys = createAccessKeys({ ring });
  const secretOf = async (name: string) =>
    Buffer.from(await store.keep(name, () => randomBytes(32).toString('base64url')), 'base64url');
  const [refreshSecret, linkSecret, secondFactorSecret] = [
    await secretOf('refresh-tokens'),
    await secretOf('links'),
    await secretOf('second-factors'),
  ];
  const accessTokens = createAccessTokens({ keys: accessKeys, issuer: 'test', lifetimeSeconds: 600 });
  const revocations = await createRevocations({
    sessions: createRevokedSessions({ pool, url: appUrl, log: silent }),
    accessTokenSeconds: 600,
    log: silent,
  });
  const tokens = createAccountTokens(createSignedLinks(() => [linkSecret]));
  /** The clock of invitations. It begins with that of the commands, which stands still. */
  const calendar = { now: Date.parse('2026-01-02T03:04:05.678Z') };
  const invitationTokens = createAccountTokens(
    createSignedLinks(
      () => [linkSecret],
      () => calendar.now,
    ),
  );
  const invitationStore = createInvitationStore(pool);
  /** What read models would say of users. */
  const bonds = new Map<UserId, Bonds>();
  const invitationDeps = {
    store: invitationStore,
    tokens: invitationTokens,
    bondsOf: async (userId: UserId) => bonds.get(userId) ?? { companyId: userId, hasJobs: false },
    ...{ loader, handle, rateLimits, newId },
    oneAtATime: createOneAtATime(),
    now: () => new Date(calendar.now),
  };
  const checkPassword = createCheckPassword({ hashes, rateLimits });
  const onEnded = revocations.revoke;
  const sessionStore = createSessionStore(pool);
  const identify = createIdentify({ accessTokens, revocations, sessions: sessionStore });
  const secondFactorStore = createSecondFactorStore(pool);
  const secondFactors = createSecondFactors({
    store: secondFactorStore,
    secrets: createSealedSecrets(secondFactorSecret),
    ...{ credentials, hashes, checkPassword, rateLimits, onEnded },
    issuer: 'Test',
    now: () => clock.now,
  });
  return {
    url: appUrl,
    ownerUrl: database?.ownerUrl,
    pool,
    handle,
    log,
    credentials,
    hashes,
    registration,
    rateLimits,
    accessKeys,
    secondFactorSecret,
    revocations,
    tokens,
    calendar,
    invitationTokens,
    invitationStore,
    bonds,
    invitationDeps,
    invitations: createInvitations(invitationDeps),
    clock,
    secondFactorStore,
    secondFactors,
    logIn: createLogIn({ credentials, hashes, registration, checkPassword, secondFactors }),
    addresses: createAddresses({ credentials, tokens, checkPassword, rateLimits }),
    passwords: createPasswords({ credentials, hashes, tokens, checkPassword, onEnded }),
    sessions: createSessions({
      store: sessionStore,
      credentials,
      accessTokens,
      refreshSecret,
      onEnded,
      newId,
    }),
    accessTokens,
    identify,
    authenticate: createAuthenticate(identify),
    loadAccount: async (userId: UserId) => (await loader.refresh(accountOf(userId))).state,
    companyOf: async (userId: UserId) => userId,
    async close() {
      await revocations.stop();
      await ring.stop();
      await pool.end();
      await database?.drop();
    },
  };
}
export type AuthStage = Awaited<ReturnType<typeof authStage>>;

export const ada = {
  email: 'ada@example.org',
  password: 'correct horse battery staple',
  role: 'applicant',
  displayName: 'Ada',
} as const;

/** Resolves once the condition holds; rejects after `withinMs`. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not so within ${withinMs} ms`);
    await pause(10);
  }
}
