import type { EventStore, Recorded } from '../../events/event-store.ts';
import type { GroupId } from '../../events/ids.ts';
import { isGroupEvent, moveOf } from './what-sockets-hear.ts';
import type { ChatServer } from '../connection/connection.ts';
import { headSeqs } from '../rooms/heads.ts';
import { putIn, takeOut } from '../rooms/room-entry.ts';
import type { Push } from './delivery.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Users } from '../presence/users.ts';

interface LocalPushDeps {
  io: ChatServer;
  users: Users;
  store: Pick<EventStore, 'revisions'>;
}

/** Tells the sockets of this node, and nobody else. */
export function deliverHere({ io, users, store }: LocalPushDeps): Push {
  /** Where the groups stand that somebody here is about to be put into. */
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
      io.to(groupRoom(groupId)).emit(name, envelope as never);
    },

    uploader(userId, news) {
      io.to(userRoom(userId)).emit('fileStatusChanged', news);
    },

    told: () => {},
    takenOver: () => undefined,
  };
}
