import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accountOf } from '../../../commands/account/account.ts';
import { CommandRejected } from '../../../commands/rejection.ts';
import { UserId } from '../../../events/ids.ts';
import { caughtUp } from '../../../projections/projection.ts';
import type { ExportLine } from '../../../queries/person-export.ts';
import { accessGrants, grantHeader } from '../../access-grant.ts';
import { createExportLane } from '../../export-lane.ts';
import type { AuditDeps, HttpApp, RouteDeps } from '../../route-deps.ts';

/** What the lines of an export contain that a person wrote, is called or is reached by. */
const PERSONAL = [
  ...['displayName', 'email', 'newEmail', 'userAgent', 'endpoint'],
  ...['coverLetter', 'reason', 'text', 'name'],
];
const REDACTED = '[redacted]';

const Line = z
  .looseObject({ kind: z.string() })
  .meta({ id: 'ExportLine', description: 'One thing that is stored about the person; `kind` says what' });
const NdJson = { description: 'NDJSON', content: { 'application/x-ndjson': { schema: Line } } };

const tags = ['Privacy'];

type View = (line: ExportLine) => ExportLine;
const whole: View = (line) => line;
/** Returns the line without personal text. */
const redacted: View = (line) =>
  Object.fromEntries(
    Object.entries(line).map(([name, value]) => [
      name,
      PERSONAL.includes(name) && value !== null ? REDACTED : value,
    ]),
  ) as ExportLine;

/** Defines the exports of what is stored about a person. */
export function exportRoutes(app: HttpApp, deps: AuditDeps & RouteDeps): void {
  const { queries, loader, progress, head } = deps;
  const opened = accessGrants(deps);
  const enter = createExportLane(app, deps);

  /** Sends the lines of an export, which show everything that was answered before the call. */
  async function sendAll<R extends FastifyReply>(
    request: FastifyRequest,
    reply: R,
    userId: UserId,
    { view = whole, isStillOpen }: { view?: View; isStillOpen?: () => Promise<boolean> } = {},
  ): Promise<R> {
    const { state } = await loader.refresh(accountOf(userId));
    if (state.status === 'none') throw new CommandRejected('USER_NOT_FOUND');
    await caughtUp(progress, await head());
    enter(request, reply, isStillOpen).send(
      (async function* lines() {
        for await (const line of queries.personExport(userId)) yield `${JSON.stringify(view(line))}\n`;
      })(),
    );
    return reply;
  }

  app.get(
    '/v1/privacy/export',
    {
      // A HEAD request would read everything and send nothing.
      exposeHeadRoute: false,
      config: { for: 'everybody', refusals: ['USER_NOT_FOUND', 'TOO_MANY_EXPORTS'] },
      schema: {
        tags,
        operationId: 'exportOwnData',
        summary: 'All that is stored about the caller; the first line has the numbers of the others',
        response: { 200: NdJson },
      },
    },
    async (request, reply) => sendAll(request, reply, request.session.actor.userId),
  );

  app.post(
    '/v1/privacy/exports',
    {
      config: { for: 'auditors', refusals: ['USER_NOT_FOUND', 'TOO_MANY_EXPORTS', 'GRANT_NOT_OPEN'] },
      schema: {
        tags,
        operationId: 'exportPerson',
        summary: 'All that is stored about a person; personal text is shown to a grant for that person only',
        headers: grantHeader,
        body: z
          .strictObject({ userId: UserId })
          .meta({ id: 'ExportPerson', example: { userId: '0197a000-0000-7000-8000-000000000001' } }),
        response: { 200: NdJson },
      },
    },
    async (request, reply) => {
      const { userId } = request.body;
      const { scope, isStillOpen } = await opened(request);
      const isOpen = scope !== undefined && 'userId' in scope && scope.userId === userId;
      return sendAll(request, reply, userId, { view: isOpen ? whole : redacted, isStillOpen });
    },
  );
}
