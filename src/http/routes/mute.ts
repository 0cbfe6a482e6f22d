import { z } from 'zod';
import { muteGroup, unmuteGroup } from '../../commands/account/mute-group.ts';
import { GroupId } from '../../events/ids.ts';
import { Done } from '../../protocol/schemas.ts';
import { commandRequest } from '../command-request.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

/** Defines the routes with which the caller mutes a group and unmutes it, whatever its other preferences are. */
export function muteRoutes(
  app: HttpApp,
  { handle, positions }: Pick<RouteDeps, 'handle' | 'positions'>,
): void {
  for (const [method, command, operationId, summary] of [
    ['PUT', muteGroup, 'muteGroup', 'Notify the caller of this group no longer'],
    ['DELETE', unmuteGroup, 'unmuteGroup', 'Notify the caller of this group again'],
  ] as const)
    app.route({
      method,
      url: '/v1/groups/:groupId/mute',
      config: { refusals: [...command.refuses] },
      schema: {
        tags: ['Notifications'],
        operationId,
        summary,
        description: 'May be repeated. All other preferences stay as they are.',
        params: z.strictObject({ groupId: GroupId }),
        response: { 200: Done },
      },
      async handler(request) {
        const { groupId } = request.params;
        const { userId } = request.session.actor;
        const { position } = await handle(command, { userId, groupId }, commandRequest(request));
        return { position: positions.encode(position) };
      },
    });
}
