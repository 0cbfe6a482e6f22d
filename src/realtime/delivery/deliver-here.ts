import type { EventStore, Recorded } from '../../events/event-store.ts';
import type { GroupId } from '../../events/ids.ts';
import { isGroupEvent, moveOf } from './what-sockets-hear.ts';
import { headSeqs } from '../rooms/heads.ts';
import { putIn, takeOut } from '../rooms/room-entry.ts';
import type { Delivery } from './delivery.ts';
import type { Send } from './write-frames.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Users } from '../presence/users.ts';

interface Here {
  /** Writes to the sockets of this node. */
  write: Send;
  users: Users;
  store: Pick<EventStore, 'revisions'>;
}

/** Delivers to the sockets of this node, the only one. */
export function deliverHere({ write, users, store }: Here): Delivery {
  /** The heads of the groups that a user of this node is about to enter. */
  let heads = new Map<GroupId, number>();

  async function readHeads(groupIds: readonly GroupId[]): Promise<void> {
    heads = await headSeqs(store, groupIds);
  }

  return {
    prepare(events: readonly Recorded[]) {
      const entered = events.flatMap((event) => {
        const move = isGroupEvent(event) ? moveOf(event) : undefined;
        return move?.to === 'in' && users.find(move.userId) ? [move.groupId] : [];
      });
      return entered.length > 0 ? readHeads(entered) : undefined;
    },

    roster(event) {
      const move = moveOf(event);
      const user = move && users.find(move.userId);
      if (!user) return;
      const { groupId } = move;
      user.membershipChanges += 1;
      for (const socket of user.sockets) {
        if (move.to === 'out') {
          if (takeOut(socket, groupId)) socket.emit('leaveRoom', { groupId, reason: move.reason });
        } else if (putIn(socket, groupId)) {
          socket.emit('joinRoom', { groupId, headSeq: heads.get(groupId) ?? 0 });
        }
      }
    },

    group(groupId, name, envelope) {
      write({ data: [name, envelope] }, { rooms: new Set([groupRoom(groupId)]) });
    },

    uploader(userId, news) {
      write({ data: ['fileStatusChanged', news] }, { rooms: new Set([userRoom(userId)]) });
    },

    progress: () => {},
    takenOver: () => undefined,
  };
}
