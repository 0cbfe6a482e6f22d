import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { type BoardUsers, createBoardUsers } from '../auth/clients/board-users.ts';
import { createCheckAssertion } from '../auth/clients/client-assertions.ts';
import { createClients } from '../auth/clients/clients.ts';
import { type TrustedIssuer, createExchangeToken } from '../auth/clients/token-exchange.ts';
import type { AccessTokens } from '../auth/tokens/access-tokens.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { BadConfig, type Config } from '../config.ts';
import { parseTrustedIssuers } from '../config/trusted-issuers.ts';
import { newId } from '../kit/uuids.ts';
import { fetchSmall } from '../adapters/jwks/fetch-small.ts';
import { createIssuerKeys } from '../adapters/jwks/issuer-keys.ts';
import { createBoardUserStore } from '../adapters/postgres/tables/board-users.ts';
import { createClientStore } from '../adapters/postgres/tables/clients.ts';

const FETCH_MS = 5_000;
const MAX_BYTES = 65_536;

/** Resolves with the issuers that are trusted. Throws `BadConfig` when the list cannot be read. */
async function openTrustedIssuers({ trustedIssuers }: Config): Promise<readonly TrustedIssuer[]> {
  if ('issuers' in trustedIssuers) return trustedIssuers.issuers;
  const { url } = trustedIssuers;
  try {
    return parseTrustedIssuers(await textAt(url));
  } catch (error) {
    throw new BadConfig([`TRUSTED_ISSUERS ${url}: ${(error as Error).message}`]);
  }
}

async function textAt(url: string): Promise<string> {
  if (url.startsWith('file:')) return readFile(new URL(url), 'utf8');
  const limits = { maxBytes: MAX_BYTES, signal: AbortSignal.timeout(FETCH_MS) };
  return (await fetchSmall(url, limits)).text();
}

/** Opens what the programs of a board use: their tokens, their users, and the exchange of tokens. */
export async function openClients(
  config: Config,
  log: Logger,
  {
    pool,
    ...deps
  }: {
    pool: pg.Pool;
    credentials: Pick<Credentials, 'markRegistered'>;
    accessTokens: AccessTokens;
    handle: HandleCommand;
    onEnded: (sessionId: string) => void;
  },
) {
  const store = createClientStore(pool);
  const users: BoardUsers = createBoardUsers({ ...deps, store: createBoardUserStore(pool), newId });
  const issuers = await openTrustedIssuers(config);
  const known = new Set((await store.list()).map(({ clientId }) => clientId));
  for (const { issuer, clientId } of issuers)
    if (!known.has(clientId))
      log.warn({ issuer, clientId }, 'the client of a trusted issuer does not exist; its tokens are refused');
  return {
    users,
    clients: createClients({ ...deps, store, checkAssertion: createCheckAssertion(store) }),
    exchangeToken: createExchangeToken({
      ...{ issuers, clients: store, users },
      keysOf: ({ jwksUri }) => createIssuerKeys({ jwksUri, log }),
      lifetimeSeconds: config.accessTokenSeconds,
    }),
  };
}
