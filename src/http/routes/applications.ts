import { z } from 'zod';
import { applicationOf } from '../../commands/application/application.ts';
import { apply } from '../../commands/application/apply.ts';
import { assignApplication } from '../../commands/application/assign-application.ts';
import { changeApplicationStatus } from '../../commands/application/change-application-status.ts';
import { resubmitApplication } from '../../commands/application/resubmit-application.ts';
import { withdrawApplication } from '../../commands/application/withdraw-application.ts';
import { rejoinGroup } from '../../commands/chat-group/rejoin-group.ts';
import type { Actor } from '../../commands/command.ts';
import type { Request } from '../../commands/handle-command.ts';
import { CommandRejected, type RejectionCode } from '../../commands/rejection.ts';
import { CoverLetter } from '../../events/application.ts';
import { ApplicationId, JobId, UserId } from '../../events/ids.ts';
import { commandRequest } from '../command-request.ts';
import { jobAccess } from '../job-access.ts';
import { letConversationsStay } from '../fixed-conversations.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Done, Id, Position, bodyOf, paging } from '../../protocol/schemas.ts';
import { ApplicationPage } from '../../protocol/views.ts';

const tags = ['Applications'];
const params = z.strictObject({ applicationId: ApplicationId });
/** The answer for a repeated application names the first one and its group. */
const neverThrown = new Set<RejectionCode>(['APPLICATION_NOT_FOUND', 'NOT_APPLICANT', 'GROUP_NOT_FOUND']);
const refusals = new Set([...apply.refuses, ...resubmitApplication.refuses, ...rejoinGroup.refuses]);
const applying = {
  scope: 'applications:write' as const,
  idempotentAs: 'Apply',
  refusals: [...refusals.difference(neverThrown)],
};
const Applied = z
  .object({ applicationId: Id, jobId: Id, groupId: Id, position: Position })
  .meta({ id: 'Applied' });
const applied = {
  201: Applied,
  200: Applied.describe('The caller had applied before, and is a member again if it had left or withdrawn'),
};
const coverLetter = CoverLetter.nullish();
const Apply = z
  .strictObject({ coverLetter })
  .meta({ id: 'Apply', example: { coverLetter: 'I have built engines for ten years.' } });
const ApplyToJob = z.strictObject({ jobId: JobId, coverLetter }).meta({
  id: 'ApplyToJob',
  example: {
    jobId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f',
    coverLetter: 'I have built engines for ten years.',
  },
});
const ChangeApplicationStatus = bodyOf(changeApplicationStatus, 'jobId', 'applicantId', 'replyDays').meta({
  id: 'ChangeApplicationStatus',
  example: { status: 'interview', reason: 'We would like to meet you.' },
});
const Assign = z.strictObject({ userId: UserId.nullable() }).meta({
  id: 'AssignApplication',
  example: { userId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f' },
});
/** Time for which a query waits for a new application to be projected. */
const WAIT_MS = 2_000;

/** Defines the routes of applications: applicants make and withdraw them, the company that posted the job decides. */
export function applicationRoutes(app: HttpApp, deps: RouteDeps): void {
  const { handle, loader, queries, progress, positions, head, newId, threadReplyDays } = deps;
  const answerOf = (
    { applicationId, jobId, groupId }: { applicationId: string; jobId: string; groupId: string },
    position: number,
  ) => ({ applicationId, jobId, groupId, position: positions.encode(position) });

  const letStay = letConversationsStay(deps);
  const asStaff = jobAccess(deps);

  interface Applying {
    jobId: JobId;
    coverLetter?: string | null | undefined;
  }
  /** Resolves with the new application or the existing one, once the applicant is a member of the group. */
  async function submit(application: Applying, applicantId: UserId, request: Request) {
    const { jobId } = application;
    const applicationId = ApplicationId.parse(newId());
    const { actor: caller } = request;
    // A refused application fixes nothing.
    await letStay(jobId, request, () => caller !== 'system' && caller.role === 'applicant');
    const outcome = await handle(apply, { ...application, applicationId, applicantId }, request);
    const [submitted] = outcome.events;
    const status = submitted ? 201 : 200;
    if (submitted && !outcome.duplicate)
      return { status, answer: answerOf(submitted.data, outcome.position) } as const;
    const { state } = await loader.load(applicationOf(jobId, applicantId));
    if (state.status === 'none') throw new Error('Apply did nothing although there is no application');
    const again = { groupId: state.subject.groupId, jobId, applicantId };
    // Without the client's key, because the caller may have withdrawn or left more than once.
    const { actor, correlationId, trace } = request;
    const back =
      state.status === 'withdrawn'
        ? await handle(
            resubmitApplication,
            { ...again, coverLetter: application.coverLetter },
            { actor, correlationId, trace },
          )
        : await handle(rejoinGroup, again, { actor, correlationId, trace });
    const position = Math.max(outcome.position, back.position);
    return { status, answer: answerOf(state.subject, position) } as const;
  }

  app.post(
    '/v1/jobs/:jobId/applications',
    {
      config: applying,
      schema: {
        tags,
        operationId: 'apply',
        summary: 'Apply for a job: the applicant is then a member of its group',
        params: z.strictObject({ jobId: JobId }),
        body: Apply.nullish(),
        response: applied,
      },
    },
    async (request, reply) => {
      const { userId } = request.session.actor;
      const application = { ...request.params, ...request.body };
      const { status, answer } = await submit(application, userId, commandRequest(request));
      return reply.code(status).send(answer);
    },
  );

  app.post(
    '/apply',
    {
      config: applying,
      schema: {
        tags,
        operationId: 'applyAlias',
        summary: 'Apply for a job: the same by another name',
        body: ApplyToJob,
        response: applied,
      },
    },
    async (request, reply) => {
      const { userId } = request.session.actor;
      const { status, answer } = await submit(request.body, userId, commandRequest(request));
      return reply.code(status).send(answer);
    },
  );

  app.get(
    '/v1/applications',
    {
      config: { refusals: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER'] },
      schema: {
        tags,
        operationId: 'listApplications',
        summary: 'The caller’s applications; for the company that posted a job, the job’s',
        querystring: z.strictObject({ jobId: JobId.optional(), ...paging }),
        response: { 200: ApplicationPage },
      },
    },
    ({ session: { actor }, query }) => {
      const list = () => queries.listApplications({ actor, ...query });
      return query.jobId === undefined ? list() : asStaff(query.jobId, actor, list);
    },
  );

  /** Finds the stream, which job and applicant name, by the read model, which may be behind. */
  async function find(applicationId: ApplicationId, actor: Actor) {
    try {
      return await queries.getApplication({ actor, applicationId });
    } catch (error) {
      const isMissing = error instanceof CommandRejected && error.code === 'APPLICATION_NOT_FOUND';
      if (!isMissing) throw error;
      await progress.reached(await head(), WAIT_MS);
      return queries.getApplication({ actor, applicationId });
    }
  }

  app.patch(
    '/v1/applications/:applicationId',
    {
      config: { scope: 'applications:write', refusals: [...changeApplicationStatus.refuses] },
      schema: {
        tags,
        operationId: 'changeApplicationStatus',
        summary: 'Change the status of an application; the applicant is notified',
        params,
        body: ChangeApplicationStatus,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { jobId, applicantId } = await find(request.params.applicationId, request.session.actor);
      const change = { jobId, applicantId, ...request.body, replyDays: threadReplyDays };
      const { position } = await handle(changeApplicationStatus, change, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.put(
    '/v1/applications/:applicationId/assignee',
    {
      config: { scope: 'applications:write', refusals: [...assignApplication.refuses] },
      schema: {
        tags,
        operationId: 'assignApplication',
        summary: 'Assign an application to one of the company’s people, or to nobody',
        params,
        body: Assign,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { jobId, applicantId } = await find(request.params.applicationId, request.session.actor);
      const assignment = { jobId, applicantId, assigneeId: request.body.userId };
      const { position } = await handle(assignApplication, assignment, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.delete(
    '/v1/applications/:applicationId',
    {
      config: { scope: 'applications:write', refusals: [...withdrawApplication.refuses] },
      schema: {
        tags,
        operationId: 'withdrawApplication',
        summary: 'Withdraw an application of one’s own, and leave the group',
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { jobId, applicantId } = await find(request.params.applicationId, request.session.actor);
      const { position } = await handle(withdrawApplication, { jobId, applicantId }, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
