import { z } from 'zod';
import { closeJob } from '../../../commands/job/close-job.ts';
import { JobId, UserId } from '../../../events/ids.ts';
import { Conversations, JobStatus } from '../../../events/job.ts';
import { Id, Time, Words, pageOf, paging } from '../../../protocol/schemas.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';
import { ActBody, Acted, type ActDeps, actConfig, recordActs, tags } from './acts.ts';

export interface OperatorJobRoutes extends ActDeps, Pick<RouteDeps, 'queries' | 'threadReplyDays'> {}

const Posting = z
  .object({
    jobId: Id,
    title: z.string(),
    status: JobStatus,
    company: z.object({ companyId: Id, displayName: z.string() }).meta({ id: 'PostingCompany' }),
    conversations: Conversations,
    postedAt: Time,
    applications: z.int().min(0).describe('Counted up to 1,000, without those that were withdrawn'),
  })
  .meta({ id: 'Posting' });

const search = z.strictObject({
  q: Words.optional(),
  status: JobStatus.optional(),
  companyId: UserId.optional(),
  ...paging,
});

/** Defines the routes with which operators find postings and take them down. */
export function operatorJobRoutes(app: HttpApp, deps: OperatorJobRoutes): void {
  const { handle, queries, positions, threadReplyDays } = deps;
  const record = recordActs(deps);

  app.get(
    '/v1/admin/jobs',
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'listPostings',
        summary: 'The jobs of all companies, newest first',
        querystring: search,
        response: { 200: pageOf(Posting).meta({ id: 'PostingPage' }) },
      },
    },
    ({ session: { actor }, query }) => queries.listPostings({ actor, ...query }),
  );

  app.post(
    '/v1/admin/jobs/:jobId/close',
    {
      config: actConfig('TakeDownJob', 'JOB_NOT_FOUND'),
      schema: {
        tags,
        operationId: 'takeDownJob',
        summary: 'Close the job of a company, as its owner does; the reason stays with the operators',
        params: z.strictObject({ jobId: JobId }),
        body: ActBody,
        response: { 200: Acted },
      },
    },
    async (request) => {
      const { jobId } = request.params;
      const { acted, answer } = await record(request, { kind: 'closeJob', jobId });
      // As the system: the log of the company does not name the operator, but the event that caused it.
      const { position } = await handle(
        closeJob,
        { jobId, replyDays: threadReplyDays },
        { actor: 'system', correlationId: request.id, causationId: acted.id },
      );
      return { ...answer, position: positions.encode(Math.max(position, acted.position)) };
    },
  );
}
