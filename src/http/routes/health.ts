import { z } from 'zod';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

const tags = ['Operation'];
const Dependency = z.object({ status: z.enum(['ok', 'degraded', 'down']) }).meta({ id: 'Dependency' });
const Live = z.object({ status: z.literal('live') }).meta({ id: 'Liveness' });
const readinessWith = (dependency: z.ZodType<z.infer<typeof Dependency>>) =>
  z.object({
    status: z.enum(['ready', 'not ready']),
    dependencies: z.record(z.string(), dependency),
  });
/** Without reasons, which may contain internal addresses. */
export const readinessFor = {
  strangers: readinessWith(Dependency).meta({ id: 'Readiness' }),
  operators: readinessWith(
    Dependency.extend({ detail: z.string().optional() }).meta({ id: 'DependencyDetails' }),
  ),
};

/** Defines the routes for load balancers and Prometheus. */
export function healthRoutes(
  app: HttpApp,
  { readiness, metrics }: Pick<RouteDeps, 'readiness' | 'metrics'>,
  audience: keyof typeof readinessFor,
): void {
  const Readiness = readinessFor[audience];
  app.get(
    '/health/live',
    {
      schema: {
        tags,
        operationId: 'live',
        summary: 'Whether the process answers',
        security: [],
        response: { 200: Live },
      },
    },
    () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        tags,
        operationId: 'ready',
        summary: 'Whether it can do its work, and what it depends on',
        security: [],
        response: { 200: Readiness, 503: Readiness.describe('Something it depends on is missing') },
      },
    },
    async (_request, reply) => {
      const { ready, dependencies } = await readiness();
      return ready
        ? reply.send({ status: 'ready', dependencies })
        : reply.code(503).header('Retry-After', 1).send({ status: 'not ready', dependencies });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags,
        operationId: 'metrics',
        summary: 'Figures for Prometheus',
        security: [],
        produces: ['text/plain'],
        response: { 200: z.string() },
      },
    },
    async (_request, reply) => {
      const { contentType, body } = await metrics.expose();
      return reply.type(contentType).send(body);
    },
  );
}
