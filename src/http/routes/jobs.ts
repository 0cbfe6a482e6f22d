import { z } from 'zod';
import { changeJob } from '../../commands/job/change-job.ts';
import { closeJob } from '../../commands/job/close-job.ts';
import { postJob } from '../../commands/job/post-job.ts';
import { caughtUp } from '../../projections/projection.ts';
import { ApplicationStatus } from '../../events/application.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { JobStatus } from '../../events/job.ts';
import { commandRequest } from '../command-request.ts';
import { ensure } from '../../commands/rejection.ts';
import { ownCompany } from '../company-access.ts';
import { fileLinks } from '../file-links.ts';
import { ownGroupsAccess } from '../group-access.ts';
import { jobAccess } from '../job-access.ts';
import { letConversationsStay } from '../fixed-conversations.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Done, Flag, Id, Position, Words, bodyOf, paging } from '../../protocol/schemas.ts';
import { JobPage, JobView, ThreadPage } from '../../protocol/views.ts';

const tags = ['Jobs'];
const params = z.strictObject({ jobId: JobId });
const PostJob = bodyOf(postJob, 'jobId', 'groupId', 'companyId').meta({
  id: 'PostJob',
  example: { title: 'Engineer', description: 'Builds engines', location: 'Berlin' },
});
const Posted = z.object({ jobId: Id, groupId: Id, position: Position }).meta({ id: 'JobPosted' });
const ChangeJob = bodyOf(changeJob, 'jobId').meta({
  id: 'ChangeJob',
  example: { title: 'Senior engineer', location: null },
});
const search = z.strictObject({
  q: Words.optional(),
  status: JobStatus.optional(),
  mine: Flag.optional().meta({
    description:
      'Only those of the caller’s company that its role reaches; for an applicant, those it has applied for',
  }),
  ...paging,
});

const threads = z.strictObject({
  status: ApplicationStatus.optional(),
  unread: Flag.optional(),
  assigneeId: UserId.optional(),
  ...paging,
});

/** Defines the routes of jobs: companies post and change them, every logged-in user reads them. */
export function jobRoutes(app: HttpApp, deps: RouteDeps): void {
  const { handle, queries, progress, head, positions, newId, jobConversations, threadReplyDays } = deps;
  const letStay = letConversationsStay(deps);
  const asStaff = jobAccess(deps);
  const links = fileLinks(deps);
  const companyOf = ownCompany(deps);
  const inOwn = ownGroupsAccess(deps);
  /** Resolves with true if somebody applied before anything could be chosen. */
  const isAppliedFor = async (jobId: JobId): Promise<boolean> => {
    await caughtUp(progress, await head(), ['applications']);
    return queries.hasApplications(jobId);
  };

  for (const [url, operationId] of [
    ['/v1/jobs', 'postJob'],
    ['/jobs', 'postJobAlias'],
  ] as const)
    app.post(
      url,
      {
        config: { scope: 'jobs:write', idempotentAs: 'PostJob', refusals: [...postJob.refuses] },
        schema: {
          tags,
          operationId,
          summary: 'Post a job: its chat group then exists, and the company is its admin',
          body: PostJob,
          response: { 201: Posted },
        },
      },
      async (request, reply) => {
        const ids = { jobId: JobId.parse(newId()), groupId: GroupId.parse(newId()) };
        const companyId = await companyOf(request.session.actor);
        const outcome = await handle(
          postJob,
          { ...ids, companyId, conversations: jobConversations, ...request.body },
          commandRequest(request),
        );
        const [posted] = outcome.events;
        if (posted?.type !== 'JobPosted') throw new Error('PostJob must return a JobPosted');
        const { jobId, groupId } = posted.data;
        return reply.code(201).send({ jobId, groupId, position: positions.encode(outcome.position) });
      },
    );

  app.get(
    '/v1/jobs',
    {
      schema: {
        tags,
        operationId: 'listJobs',
        summary: 'Jobs, newest first',
        querystring: search,
        response: { 200: JobPage },
      },
    },
    ({ session: { actor }, query }) => {
      const list = () => queries.listJobs({ actor, ...query });
      return query.mine === true ? inOwn(list) : list();
    },
  );

  app.get(
    '/v1/jobs/:jobId',
    {
      config: { refusals: ['JOB_NOT_FOUND'] },
      schema: { tags, operationId: 'getJob', summary: 'One job', params, response: { 200: JobView } },
    },
    ({ session: { actor }, params: { jobId } }) => queries.getJob({ actor, jobId }),
  );

  app.get(
    '/v1/jobs/:jobId/threads',
    {
      config: { refusals: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER'] },
      schema: {
        tags,
        operationId: 'listThreads',
        summary: 'The private conversations about a job of one’s own, the latest activity first',
        params,
        querystring: threads,
        response: { 200: ThreadPage },
      },
    },
    (request) => {
      const { actor } = request.session;
      const { jobId } = request.params;
      ensure(actor.role === 'company', 'NOT_JOB_OWNER');
      return asStaff(jobId, actor, async () => {
        const page = await queries.listThreads({ actor, jobId, ...request.query });
        return { ...page, data: page.data.map(links.inLastMessages(request)) };
      });
    },
  );

  app.patch(
    '/v1/jobs/:jobId',
    {
      config: { scope: 'jobs:write', refusals: [...changeJob.refuses] },
      schema: {
        tags,
        operationId: 'changeJob',
        summary: 'Change a job of one’s own',
        params,
        body: ChangeJob,
        response: { 200: Done },
      },
    },
    async (request) => {
      const change = { ...request.params, ...request.body };
      if (change.conversations !== undefined || change.historyFrom !== undefined)
        await letStay(change.jobId, commandRequest(request), () => isAppliedFor(change.jobId));
      const { position } = await handle(changeJob, change, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.post(
    '/v1/jobs/:jobId/close',
    {
      config: { scope: 'jobs:write', idempotentAs: 'CloseJob', refusals: [...closeJob.refuses] },
      schema: {
        tags,
        operationId: 'closeJob',
        summary: 'Close a job of one’s own, and its group; private conversations go on for a while',
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { position } = await handle(
        closeJob,
        { ...request.params, replyDays: threadReplyDays },
        commandRequest(request),
      );
      return { position: positions.encode(position) };
    },
  );
}
