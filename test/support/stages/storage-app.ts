import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { answerWithProblems } from '../../../src/http/hooks/answer-with-problems.ts';
import { checkWithZod, describeRoutes } from '../../../src/http/describe-routes.ts';
import { acceptJsonOnly } from '../../../src/http/json.ts';
import { type StorageRoutes, storageRoutes } from '../../../src/http/routes/storage.ts';
import { limitBodyTime } from '../../../src/http/hooks/slow-bodies.ts';
import { linesOf } from '../log-lines.ts';

/** Starts the storage routes in a server that is otherwise like the real one; `POST /json` accepts JSON. */
export async function startStorageApp(deps: StorageRoutes, { bodyMs = 15_000 } = {}) {
  const { log, lines } = linesOf('info');
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 65_536,
    requestTimeout: 300_000,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app);
  answerWithProblems(app, () => {});
  limitBodyTime(app, bodyMs);
  await app.register(helmet);
  describeRoutes(app);
  app.post('/json', { schema: { security: [], body: z.unknown() } }, async ({ body }) => body);
  storageRoutes(app, deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    lines,
    async stop() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
