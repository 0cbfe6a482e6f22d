import { z } from 'zod';
import { Id, Time } from '../../../protocol/schemas.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';
import { readinessFor } from '../health.ts';
import { tags } from './acts.ts';

/** What any process of a deployment can tell of all of them. */
export interface Deployment {
  nodes: { nodeId: string; host: string; version: string; roles: string[]; startedAt: Date }[];
  /** `nodeId` is null for a lease that nobody holds. */
  leases: { name: string; nodeId: string | null; vacantSeconds: number }[];
  queues: { queue: string; count: number; seconds: number }[];
}

export interface OperatorSystemRoutes extends Pick<RouteDeps, 'readiness'> {
  deployment: () => Promise<Deployment>;
}

const count = z.int().min(0);
const Node = z
  .object({ nodeId: Id, host: z.string(), version: z.string(), roles: z.array(z.string()), startedAt: Time })
  .meta({ id: 'Node' });
const Lease = z
  .object({ name: z.string(), nodeId: Id.nullable(), vacantSeconds: z.number().min(0) })
  .meta({ id: 'Lease' });
const Waiting = z
  .object({ count: count.describe('Counted up to 10,000'), oldestSeconds: z.number().min(0) })
  .meta({ id: 'Waiting' });
const System = readinessFor.operators
  .extend({
    nodes: z.array(Node),
    leases: z.array(Lease).describe('What one process does at a time, and which one'),
    filesToScan: Waiting,
    queues: z.record(z.string(), Waiting),
  })
  .meta({ id: 'System' });

/** Defines the route that shows operators the deployment. */
export function operatorSystemRoutes(app: HttpApp, { readiness, deployment }: OperatorSystemRoutes): void {
  app.get(
    '/v1/admin/system',
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'getSystem',
        summary: 'Readiness with all details, the processes, who leads what, and what waits',
        response: { 200: System },
      },
    },
    async () => {
      const [{ ready, dependencies }, { nodes, leases, queues }] = await Promise.all([
        readiness(),
        deployment(),
      ]);
      const waiting = new Map(
        queues.map(({ queue, count: found, seconds }) => [queue, { count: found, oldestSeconds: seconds }]),
      );
      const filesToScan = waiting.get('files') ?? { count: 0, oldestSeconds: 0 };
      return {
        status: ready ? ('ready' as const) : ('not ready' as const),
        ...{ dependencies, leases, filesToScan },
        nodes: nodes.map(({ nodeId, host, version, roles, startedAt }) => ({
          ...{ nodeId, host, version, roles },
          startedAt: startedAt.toISOString(),
        })),
        queues: Object.fromEntries(waiting),
      };
    },
  );
}
