import type { InjectOptions } from 'fastify';
import pg from 'pg';
import type { Actor } from '../../../src/commands/command.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import { type HttpDeps, createHttpServer } from '../../../src/http/server.ts';
import type { UserId } from '../../../src/events/ids.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { postgresIdempotencyKeys } from '../../../src/adapters/postgres/tables/idempotency-keys.ts';
import { commands } from '../language/command-stage.ts';
import { scanStoredLog } from '../language/scanned-log.ts';
import { createTestDatabase } from './database.ts';
import { linesOf } from '../log-lines.ts';
import { positionsIn } from './positions.ts';
import { limitsOf, rateLimitsOf } from './rate-limits.ts';

type Overrides = Partial<HttpDeps> & {
  history?: readonly DomainEvent[];
  /** An existing database: two servers over one database act as two nodes. */
  databaseUrl?: string;
};

/**
 * The real HTTP server and command handler over a log in memory and idempotency keys in PostgreSQL, called
 * without a socket. A token is the actor as JSON. Parts that only the whole program has are left out.
 */
export async function httpStage({ history = [], databaseUrl, ...overrides }: Overrides = {}) {
  const database = databaseUrl === undefined ? await createTestDatabase() : undefined;
  const url = databaseUrl ?? database!.url;
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  pool.on('error', () => {});
  const { handle, loader, store, log: wholeLog } = await commands({ history });
  const { log, lines } = linesOf('info');
  const refused: string[] = [];
  const authenticate = async (token: string) => ({
    actor: JSON.parse(token) as Actor,
    sessionId: 'a session',
    kid: 'a key',
    expiresAt: Number.MAX_SAFE_INTEGER,
  });
  const deps = {
    handle,
    loader,
    store,
    storedLog: scanStoredLog(store),
    lookups: { message: async () => undefined },
    // Everybody acts for a company of its own.
    queries: { companyOfUser: async (userId: UserId) => userId },
    progress: { reached: async () => true, positions: () => new Map() },
    head: () => store.head(),
    positions: positionsIn(store),
    rateLimits: rateLimitsOf({ messagesPerMinute: 100, failedLoginsPerMinute: 10, loginsPerMinute: 60 }),
    accessKeys: { jwks: () => ({ keys: [] }), algorithms: () => [] },
    readiness: async () => ({ ready: true, dependencies: {} }),
    asyncapi: { asyncapi: '3.0.0', info: { title: 'Socket', description: '' }, operations: {} },
    receiver: {},
    scanReports: {},
    authenticate,
    identify: overrides.authenticate ?? authenticate,
    requireSecondFactor: async () => {},
    idempotencyKeys: postgresIdempotencyKeys(pool),
    fingerprintSecret: 'a secret',
    metrics: {
      refused: (code: string) => refused.push(code),
      requestAnswered: () => {},
      expose: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    },
    log,
    newId,
    maxFileBytes: 26_214_400,
    settings: { trustedProxies: [], allowedOrigins: [], ...limitsOf() },
    ...overrides,
  } as unknown as HttpDeps;
  const app = await createHttpServer(deps);

  return {
    app,
    url,
    pool,
    refused,
    wholeLog,
    /** The log lines written so far. */
    lines,
    /** Sends a request, by an actor or anonymously; `body` as JSON, `payload` unchanged. */
    async ask(
      method: NonNullable<InjectOptions['method']>,
      path: string,
      { as, body, payload, headers }: Asked = {},
    ) {
      const answer = await app.inject({
        method,
        url: path,
        headers: {
          ...((body !== undefined || payload !== undefined) && { 'content-type': 'application/json' }),
          ...(as && { authorization: `Bearer ${JSON.stringify(as)}` }),
          ...headers,
        },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
        ...(payload !== undefined && { payload }),
      });
      const isJson = String(answer.headers['content-type']).includes('json');
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        body: (isJson ? answer.json() : undefined) as Record<string, unknown>,
      };
    },
    async close() {
      await app.close();
      await pool.end();
      await database?.drop();
    },
  };
}

interface Asked {
  as?: Actor;
  body?: unknown;
  payload?: string | Buffer;
  headers?: Record<string, string>;
}
