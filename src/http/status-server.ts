import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { answerUnreadable, answerWithProblems } from './hooks/answer-with-problems.ts';
import { checkWithZod } from './describe-routes.ts';
import type { RouteDeps } from './route-deps.ts';
import { healthRoutes } from './routes/health.ts';

export interface StatusDeps extends Pick<RouteDeps, 'readiness' | 'newId'> {
  metrics: RouteDeps['metrics'] & { refused(code: string): void };
  log: Logger;
}

/** Creates the server for operators, with health, all its details and metrics. It does not listen yet. */
export function createStatusServer({ log, newId, metrics, readiness }: StatusDeps): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    requestIdHeader: false,
    genReqId: newId,
    requestTimeout: 15_000,
    forceCloseConnections: true,
    clientErrorHandler: answerUnreadable,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  answerWithProblems(app, metrics.refused);
  healthRoutes(app, { metrics, readiness }, 'operators');
  return app as unknown as FastifyInstance;
}
