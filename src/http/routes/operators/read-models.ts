import { z } from 'zod';
import { ensure } from '../../../commands/rejection.ts';
import type { ReadModelUpkeep } from '../../../projections/upkeep.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import { Id, Time } from '../../../protocol/schemas.ts';
import type { HttpApp } from '../../route-deps.ts';
import { ActBody, Acted, type ActDeps, actConfig, recordActs, tags, withReason } from './acts.ts';

export interface OperatorReadModelRoutes extends ActDeps {
  readModelUpkeep: ReadModelUpkeep;
}

const url = '/v1/admin/read-models';

const count = z.int().min(0);
const Rebuild = z
  .object({
    state: z
      .enum(['requested', 'running', 'done', 'failed'])
      .describe('`requested` until a process that leads the projections begins it, or begins it again'),
    position: count.nullable(),
    head: count.nullable().describe('The end of the log'),
    requestedAt: Time.nullable(),
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
    error: z.string().nullable(),
    requestedBy: Id.nullable().describe('Null for a rebuild that nobody asked the server for'),
  })
  .meta({ id: 'Rebuild' });
const ReadModel = z
  .object({
    name: z.string(),
    version: count.nullable(),
    latestVersion: count.describe('Of the code of the process that answers'),
    position: count.nullable(),
    behind: count.nullable(),
    lagSeconds: z.number().min(0).nullable().describe('Age of the oldest event that it has not handled'),
    previousKept: z.boolean().describe('Whether the version before the last rebuild can be put back'),
    rebuild: Rebuild.nullable(),
  })
  .meta({ id: 'ReadModel' });
const ReadModelList = z.object({ head: count, data: z.array(ReadModel) }).meta({ id: 'ReadModelList' });

const params = z.strictObject({ name: z.string().max(100) });
const RebuildBody = z
  .strictObject({
    ...withReason,
    force: z
      .boolean()
      .default(false)
      .meta({ description: 'Switch even where rows differ from the live ones' }),
  })
  .meta({ id: 'RebuildReadModel', example: { reason: 'A row is missing' } });
const Asked = Acted.extend({ rebuild: Rebuild }).meta({ id: 'RebuildRequested' });

/** Defines the routes with which operators watch read models, rebuild them and go back to earlier ones. */
export function operatorReadModelRoutes(app: HttpApp, deps: OperatorReadModelRoutes): void {
  const { readModelUpkeep: upkeep } = deps;
  const record = recordActs(deps);
  const requireKnown = (name: string) => {
    if (!upkeep.names.includes(name)) throw new ProblemError(problem('READ_MODEL_NOT_FOUND'));
  };

  app.get(
    url,
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'listReadModels',
        summary: 'How far each read model is, and its last rebuild',
        response: { 200: ReadModelList },
      },
    },
    async () => {
      const { head, readModels } = await upkeep.states();
      return { head, data: readModels };
    },
  );

  const { refusals, ...rebuilding } = actConfig('RebuildReadModel');
  app.post(
    `${url}/:name/rebuild`,
    {
      config: { ...rebuilding, refusals: [...refusals, 'READ_MODEL_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'rebuildReadModel',
        summary: 'Build a read model anew beside the live one, compare them, and switch',
        params,
        body: RebuildBody,
        response: { 202: Asked.describe('Asked for, or under way already') },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      requireKnown(name);
      const { force } = request.body;
      const { acted, answer } = await record(request, { kind: 'rebuildReadModel', name, force });
      const { actId, operatorId } = acted.data;
      const rebuild = await upkeep.requestRebuild({ name, actId, requestedBy: operatorId, force });
      return reply.code(202).send({ ...answer, rebuild });
    },
  );

  const { refusals: rollBackRefusals, ...rollingBack } = actConfig(
    'RollBackReadModel',
    'REBUILD_RUNNING',
    'NOTHING_KEPT',
  );
  app.post(
    `${url}/:name/rollback`,
    {
      config: { ...rollingBack, refusals: [...rollBackRefusals, 'READ_MODEL_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'rollBackReadModel',
        summary: 'Put back the version before the last rebuild; it catches up by itself',
        params,
        body: ActBody,
        response: { 200: Acted },
      },
    },
    async (request) => {
      const { name } = request.params;
      requireKnown(name);
      const obstacle = await upkeep.rollBackObstacle(name);
      const { acted, answer } = await record(request, { kind: 'rollBackReadModel', name }, obstacle);
      const late = await upkeep.rollBack({ name, actId: acted.data.actId });
      // Something was begun meanwhile: the act stays on record, without effect.
      ensure(late === undefined, late!);
      return answer;
    },
  );
}
