import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type InjectOptions } from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import type { Actor } from '../../../src/commands/command.ts';
import type { FileStorage } from '../../../src/files/storage.ts';
import { answerWithProblems } from '../../../src/http/hooks/answer-with-problems.ts';
import { authenticateRequests } from '../../../src/http/hooks/authenticate-request.ts';
import { chargeRequests } from '../../../src/http/hooks/charge-requests.ts';
import { checkWithZod, describeRoutes } from '../../../src/http/describe-routes.ts';
import { fileAccess } from '../../../src/http/file-access.ts';
import { honourIdempotencyKeys } from '../../../src/http/hooks/idempotency-keys.ts';
import { acceptJsonOnly } from '../../../src/http/json.ts';
import { fileRoutes } from '../../../src/http/routes/files.ts';
import { messageRoutes } from '../../../src/http/routes/messages.ts';
import type { RouteDeps } from '../../../src/http/route-deps.ts';
import { deriveId, newId } from '../../../src/kit/uuids.ts';
import { positionsIn } from './positions.ts';
import { createLocalStorage } from '../../../src/adapters/disk/storage.ts';
import { postgresIdempotencyKeys } from '../../../src/adapters/postgres/tables/idempotency-keys.ts';
import { createUploadQuotas } from '../../../src/adapters/postgres/tables/upload-quotas.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { commands } from '../language/command-stage.ts';
import { openReadSide } from './read-side.ts';
import { rateLimitsOf } from './rate-limits.ts';

export const MAX_FILE_BYTES = 2_000;
export const UPLOADS_PER_MINUTE = 50;
export const BYTES_PER_USER_DAY = 10_000;
export const BYTES_PER_GROUP = 95_000;

interface Asked {
  as?: Actor;
  body?: object;
  headers?: Record<string, string>;
}

/**
 * The file routes over a real log, its read models and a store in a folder, called without a socket. A token
 * is the actor as JSON. Nothing inspects the files: tests append the findings as events.
 */
export async function openFileStage({ publicUrl }: { publicUrl?: string } = {}) {
  const side = await openReadSide();
  const { handle, loader } = await commands({ store: side.store });
  const dir = await mkdtemp(join(tmpdir(), 'files-'));
  const links = createSignedLinks(() => [Buffer.alloc(32, 7)]);
  const disk = { freeBytes: 1_000_000 };
  const storage = await createLocalStorage({
    dir,
    links,
    minFreeBytes: 100_000,
    freeBytes: async () => disk.freeBytes,
  });
  const keysPool = createPool({ url: side.url, max: 2, applicationName: 'keys', log: side.log });
  const quotas = createUploadQuotas(keysPool, {
    bytesPerUserDay: BYTES_PER_USER_DAY,
    bytesPerGroup: BYTES_PER_GROUP,
  });
  const deps = {
    handle,
    loader,
    queries: side.queries,
    lookups: side.lookups,
    progress: side.projections.progress,
    head: () => side.store.head(),
    positions: positionsIn(side.store),
    rateLimits: rateLimitsOf({ uploadsPerMinute: UPLOADS_PER_MINUTE }),
    newId,
    links,
    publicUrl,
  } as unknown as RouteDeps;

  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app);
  answerWithProblems(app, () => {});
  describeRoutes(app);
  const authenticate = async (token: string) => ({
    actor: JSON.parse(token) as Actor,
    sessionId: 'a session',
    kid: 'a key',
    expiresAt: Number.MAX_SAFE_INTEGER,
  });
  app.addHook('onRequest', authenticateRequests(app, { ...deps, authenticate }));
  chargeRequests(app, deps.rateLimits);
  honourIdempotencyKeys(app, { keys: postgresIdempotencyKeys(keysPool), secret: 'a secret', log: side.log });
  const failing: { storage?: Error } = {};
  const orFail = <K extends 'presignUpload' | 'seal'>(name: K) =>
    (async (...given: never[]) => {
      if (failing.storage) throw failing.storage;
      return (storage[name] as (...all: never[]) => unknown)(...given);
    }) as FileStorage[K];
  fileRoutes(app as never, {
    ...deps,
    storage: { ...storage, presignUpload: orFail('presignUpload'), seal: orFail('seal') },
    quotas,
    deriveId,
    maxFileBytes: MAX_FILE_BYTES,
  });
  messageRoutes(app as never, deps);

  return {
    ...side,
    storage,
    disk,
    quotas,
    links,
    access: fileAccess(deps),
    /** If set, calls to the storage fail with this error. */
    failing,
    async ask(method: NonNullable<InjectOptions['method']>, path: string, { as, body, headers }: Asked = {}) {
      const answer = await app.inject({
        method,
        url: path,
        headers: { ...(as && { authorization: `Bearer ${JSON.stringify(as)}` }), ...headers },
        ...(body !== undefined && { payload: body }),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: answer.json() as Record<string, unknown>,
      };
    },
    async close() {
      await app.close();
      await keysPool.end();
      await side.close();
      await rm(dir, { recursive: true });
    },
  };
}

export type FileStage = Awaited<ReturnType<typeof openFileStage>>;
