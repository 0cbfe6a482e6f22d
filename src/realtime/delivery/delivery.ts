import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { EventStore, Recorded, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { Users } from '../presence/users.ts';
import { headSeqs } from '../rooms/heads.ts';
import { putIn, takeOut } from '../rooms/rooms.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import { type FileNews, type GroupPush, isGroupEvent, moveOf } from './pushes.ts';
import type { Send } from './wire.ts';

/** The progress of the broadcaster, by the times of the events, in ms since 1970. */
export interface BroadcastProgress {
  /** All events up to this time have been delivered. */
  until: number;
  /** Some events up to this time were left out, and only `heads` shows them; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** The port by which the broadcaster reaches sockets, event by event, in the order of the log. */
export interface Delivery {
  /** Called with each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** Handles a change of a group's roster. Called before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** Sends to all members of a group; `needs` is the revision of its roster that the event relied on. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, needs: Revision): void;
  /** Sends to all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
  /** Reports the progress of the broadcaster. */
  progress(progress: BroadcastProgress): void;
  /** Resolves once everything has been sent. Rejects when some of it was lost and has to be delivered again. */
  takenOver(): Promise<void> | undefined;
}

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
