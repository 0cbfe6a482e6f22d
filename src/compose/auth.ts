import type pg from 'pg';
import type { Logger } from 'pino';
import { createAccountTokens } from '../auth/tokens/account-tokens.ts';
import { createAccessTokens } from '../auth/tokens/access-tokens.ts';
import { createAddresses } from '../auth/addresses.ts';
import { createAuthenticate } from '../auth/authenticate.ts';
import { createCheckPassword } from '../auth/passwords/check-password.ts';
import { createLogIn } from '../auth/log-in.ts';
import { createPasswordHashes } from '../auth/passwords/password-hashes.ts';
import { createPasswords } from '../auth/passwords/passwords.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';
import { createRegistration } from '../auth/registration.ts';
import { createRevocations } from '../auth/revocations.ts';
import { createRequireSecondFactor } from '../auth/second-factor/require-second-factor.ts';
import { createSealedSecrets } from '../auth/second-factor/sealed-secrets.ts';
import { type SecondFactorStore, createSecondFactors } from '../auth/second-factor/second-factors.ts';
import { createSessions } from '../auth/sessions.ts';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import { loadSigningKeys } from '../auth/tokens/signing-keys.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Config } from '../config.ts';
import type { Closers } from '../kit/closers.ts';
import { newId } from '../kit/uuids.ts';
import { createRedisRevocationNews } from '../adapters/redis/revocation-news.ts';
import { createCredentials } from '../adapters/postgres/tables/credentials.ts';
import { createRevokedSessions, createSessionStore } from '../adapters/postgres/tables/sessions.ts';
import { createSecondFactorStore } from '../adapters/postgres/tables/second-factors.ts';
import { createSigningKeyStore } from '../adapters/postgres/tables/signing-keys.ts';
import type { Cluster } from './cluster.ts';
import type { DatabaseParts } from './log.ts';

/** Loads the keys that sign tokens and links: from the settings, or generated once and kept in the database. */
export const openKeys = (config: Config, pool: pg.Pool) =>
  loadSigningKeys({ store: createSigningKeyStore(pool), privateKeyPem: config.jwtPrivateKey });

/** The parts of second factors that the server and the operator's tools share. */
export const secondFactorParts = (
  { totpIssuer }: Pick<Config, 'totpIssuer'>,
  { secondFactorSecret }: Awaited<ReturnType<typeof openKeys>>,
  pool: pg.Pool,
) => ({
  store: createSecondFactorStore(pool),
  secrets: createSealedSecrets(secondFactorSecret),
  issuer: totpIssuer,
});

async function warnOfAuditors({ auditorTotp }: Config, log: Logger, store: SecondFactorStore): Promise<void> {
  const auditors = await store.countLacking('auditor');
  const effect =
    auditorTotp === 'required' ? 'they can only set one up' : 'AUDITOR_TOTP=required would ask for one';
  if (auditors > 0) log.warn({ auditors }, `auditors without a second factor exist; ${effect}`);
}

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
  }: Pick<DatabaseParts, 'databaseUrl' | 'logins'> & {
    cluster: Cluster;
    handle: HandleCommand;
    keys: Awaited<ReturnType<typeof openKeys>>;
    links: SignedLinks;
    rateLimits: RateLimits;
  },
) {
  const { accessTokenSeconds } = config;
  const credentials = createCredentials(logins);
  const hashes = await createPasswordHashes();
  const revocations = await createRevocations({
    sessions: createRevokedSessions({ pool: logins, url: databaseUrl, log }),
    news: cluster && createRedisRevocationNews(cluster),
    accessTokenSeconds,
    log,
  });
  open.add('revocations', () => revocations.stop());
  const accessTokens = createAccessTokens({
    keys,
    issuer: config.jwtIssuer,
    lifetimeSeconds: accessTokenSeconds,
  });
  const onEnded = (sessionId: string) => revocations.revoke(sessionId);
  const sessions = createSessions({
    store: createSessionStore(logins),
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
  const parts = secondFactorParts(config, keys, logins);
  await warnOfAuditors(config, log, parts.store);
  const secondFactors = createSecondFactors({
    ...parts,
    ...{ credentials, hashes, checkPassword, rateLimits, onEnded },
    now: Date.now,
  });
  const isRequired = config.auditorTotp === 'required';
  return {
    credentials,
    logIn: createLogIn({ credentials, hashes, registration, checkPassword, secondFactors }),
    secondFactors,
    requireSecondFactor: createRequireSecondFactor({ credentials, isRequired }),
    addresses: createAddresses({ credentials, tokens, checkPassword, rateLimits }),
    passwords: createPasswords({ credentials, hashes, tokens, checkPassword, onEnded }),
    registration,
    revocations,
    sessions,
    authenticate: createAuthenticate({ accessTokens, revocations }),
    jwks: keys.jwks,
    fingerprintSecret: keys.fingerprintSecret,
  };
}
