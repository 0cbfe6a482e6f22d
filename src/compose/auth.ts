import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { createAccountTokens } from '../auth/tokens/account-tokens.ts';
import {
  ACCESS_KEYS,
  ACCESS_KEY_LIFETIME_SECONDS,
  createAccessKeys,
  keepAccessKey,
} from '../auth/tokens/access-keys.ts';
import { CLIENT_TOKEN_SECONDS, createAccessTokens } from '../auth/tokens/access-tokens.ts';
import { createAddresses } from '../auth/addresses.ts';
import { createAuthenticate, createIdentify } from '../auth/authenticate.ts';
import { createCheckPassword } from '../auth/passwords/check-password.ts';
import { type LogIn, createLogIn } from '../auth/log-in.ts';
import { createPasswordHashes } from '../auth/passwords/password-hashes.ts';
import { createOversight } from '../auth/oversight.ts';
import { createPasswords } from '../auth/passwords/passwords.ts';
import { RateLimited, type RateLimits } from '../protocol/rate-limits.ts';
import { createRegistration } from '../auth/registration.ts';
import { createRevocations } from '../auth/revocations.ts';
import { createRequireSecondFactor } from '../auth/second-factor/require-second-factor.ts';
import { createSealedSecrets } from '../auth/second-factor/sealed-secrets.ts';
import { type SecondFactorStore, createSecondFactors } from '../auth/second-factor/second-factors.ts';
import { AuthenticationFailed } from '../auth/session.ts';
import { createSessions } from '../auth/sessions.ts';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import { openKeyRing } from '../auth/tokens/key-rings.ts';
import { loadSigningKey, loadVerifyingKey, makeSigningKey } from '../auth/tokens/signing-keys.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Config } from '../config.ts';
import type { Closers } from '../kit/closers.ts';
import { newId } from '../kit/uuids.ts';
import { createRedisRevocationNews } from '../adapters/redis/revocation-news.ts';
import { createCredentials } from '../adapters/postgres/tables/credentials.ts';
import { createRevokedSessions, createSessionStore } from '../adapters/postgres/tables/sessions.ts';
import { createSecondFactorStore } from '../adapters/postgres/tables/second-factors.ts';
import { createSigningKeyStore } from '../adapters/postgres/tables/signing-keys.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { openClients } from './clients.ts';
import type { Cluster } from './cluster.ts';
import type { DatabaseParts } from './log.ts';

/** The name of the secrets of links in the store. */
const LINK_KEYS = 'links';

/** Makes a secret of 32 bytes. */
const makeSecret = () => randomBytes(32).toString('base64url');
const toBytes = (secret: string) => Buffer.from(secret, 'base64url');

/** Resolves with the secret of that name, which is made once and kept in the database. */
const keptSecret = async (pool: pg.Pool, name: string) =>
  toBytes(await createSigningKeyStore(pool).keep(name, makeSecret));

const DAY_SECONDS = 86_400;

/** The keys that operators rotate. */
export const rotatedKeys = ({ jwt }: Pick<Config, 'jwt'>) =>
  ({
    [ACCESS_KEYS]: {
      make: () => makeSigningKey(jwt.algorithm),
      lifetimeSeconds: ACCESS_KEY_LIFETIME_SECONDS,
      /** Others cache the public keys: this server says for 5 minutes, and some do it for longer. */
      leadMinutes: 10,
    },
    [LINK_KEYS]: {
      make: makeSecret,
      /** Links to unsubscribe are the last to end, after a year. */
      lifetimeSeconds: 366 * DAY_SECONDS,
      leadMinutes: 1,
    },
  }) as const;

/** Opens the keys of access tokens: those of the settings, and those that were made here and kept in the database. */
async function openAccessKeys({ jwt }: Pick<Config, 'jwt'>, log: Logger, open: Closers, pool: pg.Pool) {
  const store = createSigningKeyStore(pool);
  if (jwt.privateKey === undefined) await keepAccessKey(store, jwt.algorithm);
  else await store.retire(ACCESS_KEYS, ACCESS_KEY_LIFETIME_SECONDS);
  const ring = await openKeyRing({ name: ACCESS_KEYS, store, parse: loadSigningKey, log });
  open.add('keys of access tokens', () => ring.stop());
  return createAccessKeys({
    given: jwt.privateKey === undefined ? undefined : await loadSigningKey(jwt.privateKey),
    previous: await Promise.all(jwt.previousKeys.map(loadVerifyingKey)),
    ring,
  });
}

/** Opens the keys that sign tokens and links, and the secrets of sessions. */
export async function openKeys(config: Config, log: Logger, open: Closers, pool: pg.Pool) {
  const store = createSigningKeyStore(pool);
  await store.keep(LINK_KEYS, makeSecret);
  const linkSecrets = await openKeyRing({ name: LINK_KEYS, store, parse: toBytes, log });
  open.add('secrets of links', () => linkSecrets.stop());
  return {
    accessKeys: await openAccessKeys(config, log, open, pool),
    linkSecrets: linkSecrets.accepted,
    /** Derives the children of refresh tokens. */
    refreshSecret: await keptSecret(pool, 'refresh-tokens'),
    /** Keys the fingerprints of request bodies, so that a password in a body cannot be guessed from its fingerprint. */
    fingerprintSecret: await keptSecret(pool, 'fingerprints'),
  };
}

/** The parts of second factors that the server and the operator's tools share. */
export const secondFactorParts = async ({ totpIssuer }: Pick<Config, 'totpIssuer'>, pool: pg.Pool) => ({
  store: createSecondFactorStore(pool),
  /** The secret encrypts those of the users, and keys the hashes of recovery codes. */
  secrets: createSealedSecrets(await keptSecret(pool, 'second-factors')),
  issuer: totpIssuer,
});

async function warnOfMissingFactors(
  { auditorTotp, operatorTotp }: Config,
  log: Logger,
  store: SecondFactorStore,
): Promise<void> {
  const effectOf = (setting: Config['auditorTotp'], name: string) =>
    setting === 'required' ? 'they can only set one up' : `${name}=required would ask for one`;
  const [auditors, operators] = [await store.countLacking('auditor'), await store.countLacking('admin')];
  if (auditors > 0)
    log.warn(
      { auditors },
      `auditors without a second factor exist; ${effectOf(auditorTotp, 'AUDITOR_TOTP')}`,
    );
  if (operators > 0)
    log.warn(
      { operators },
      `operators without a second factor exist; ${effectOf(operatorTotp, 'OPERATOR_TOTP')}`,
    );
}

/** Returns a login that counts those that are refused. */
const countingFailures =
  (logIn: LogIn, failed: (code: string) => void): LogIn =>
  (attempt) =>
    logIn(attempt).catch((error: unknown) => {
      if (error instanceof AuthenticationFailed) failed(error.code);
      if (error instanceof RateLimited) failed('RATE_LIMITED');
      throw error;
    });

/** Opens authentication: passwords, second factors, tokens and sessions. */
export async function openAuth(
  config: Config,
  log: Logger,
  open: Closers,
  {
    databaseUrl,
    logins,
    handle,
    keys,
    links,
    rateLimits,
    cluster,
    metrics,
  }: Pick<DatabaseParts, 'databaseUrl' | 'logins'> & {
    cluster: Cluster;
    handle: HandleCommand;
    keys: Awaited<ReturnType<typeof openKeys>>;
    links: SignedLinks;
    rateLimits: RateLimits;
    metrics: Pick<Metrics, 'logInFailed'>;
  },
) {
  const { accessTokenSeconds } = config;
  const credentials = createCredentials(logins);
  const hashes = await createPasswordHashes();
  const revocations = await createRevocations({
    sessions: createRevokedSessions({ pool: logins, url: databaseUrl, log }),
    news: cluster && createRedisRevocationNews(cluster),
    // The longest lifetime of the tokens that end by this alone.
    accessTokenSeconds: Math.max(accessTokenSeconds, CLIENT_TOKEN_SECONDS),
    log,
  });
  open.add('revocations', () => revocations.stop());
  const accessTokens = createAccessTokens({
    keys: keys.accessKeys,
    issuer: config.publicUrl,
    lifetimeSeconds: accessTokenSeconds,
  });
  const onEnded = (sessionId: string) => revocations.revoke(sessionId);
  const sessionStore = createSessionStore(logins);
  const identify = createIdentify({ accessTokens, revocations, sessions: sessionStore });
  const sessions = createSessions({
    store: sessionStore,
    credentials,
    accessTokens,
    refreshSecret: keys.refreshSecret,
    onEnded,
    newId,
  });
  const registration = createRegistration({ credentials, hashes, handle, newId });
  await registration.completeAll();
  const tokens = createAccountTokens(links);
  const checkPassword = createCheckPassword({ hashes, rateLimits });
  const parts = await secondFactorParts(config, logins);
  await warnOfMissingFactors(config, log, parts.store);
  const secondFactors = createSecondFactors({
    ...parts,
    ...{ credentials, hashes, checkPassword, rateLimits, onEnded },
    now: Date.now,
  });
  const roles = [
    ...(config.auditorTotp === 'required' ? (['auditor'] as const) : []),
    ...(config.operatorTotp === 'required' ? (['admin'] as const) : []),
  ];
  return {
    credentials,
    logIn: countingFailures(
      createLogIn({ credentials, hashes, registration, checkPassword, secondFactors }),
      metrics.logInFailed,
    ),
    secondFactors,
    requireSecondFactor: createRequireSecondFactor({ credentials, roles }),
    addresses: createAddresses({ credentials, tokens, checkPassword, rateLimits }),
    oversight: createOversight({
      ...{ credentials, sessions: sessionStore, secondFactors: parts.store, onEnded },
    }),
    passwords: createPasswords({ credentials, hashes, tokens, checkPassword, onEnded }),
    registration,
    revocations,
    sessions,
    identify,
    authenticate: createAuthenticate(identify),
    ...(await openClients(config, log, { pool: logins, credentials, accessTokens, handle, onEnded })),
    accessKeys: keys.accessKeys,
    fingerprintSecret: keys.fingerprintSecret,
  };
}
