import { z } from 'zod';
import { moveReadMarkerInput } from '../../commands/read-marker/move-read-marker.ts';
import { GroupId } from '../../events/ids.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { bodyOf } from '../../protocol/schemas.ts';

const MarkRead = bodyOf({ input: moveReadMarkerInput }, 'groupId').meta({
  id: 'MarkRead',
  example: { seq: 17 },
});
const Unread = z.object({ unreadCount: z.int().min(0) }).meta({ id: 'Unread' });

/** Defines the route of the caller's read marker. */
export function readRoutes(app: HttpApp, { readMarkers, announceRead }: RouteDeps): void {
  app.put(
    '/v1/groups/:groupId/read',
    {
      config: { scope: 'messages:write', refusals: ['GROUP_NOT_FOUND'] },
      schema: {
        tags: ['Groups'],
        operationId: 'markRead',
        summary: 'Say that everything up to a seq is read; the marker never moves back',
        params: z.strictObject({ groupId: GroupId }),
        body: MarkRead,
        response: { 200: Unread },
      },
    },
    async ({ session, params: { groupId }, body }) => {
      const { userId } = session.actor;
      const { seq, unreadCount, moved } = await readMarkers.move(groupId, session.actor, body.seq);
      if (moved) announceRead({ groupId, userId, seq });
      return { unreadCount };
    },
  );
}
