import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import { chatGroupOf } from '../commands/chat-group/chat-group.ts';
import { isChatGroupEvent, toEnvelope } from '../events/envelope.ts';
import type { EventStore, Position, Recorded } from '../events/event-store.ts';
import type { GroupId } from '../events/ids.ts';
import { type Move, fileNewsOf, isGroupEvent, moveOf, pushedAs } from './broadcast.ts';
import type { ChatServer, ChatSocket } from './connection.ts';
import { headSeqs } from './heads.ts';
import { groupRoom, userRoom } from './rooms.ts';
import type { Users } from './users.ts';

interface BroadcasterDeps {
  io: ChatServer;
  store: EventStore;
  loader: AggregateLoader;
  users: Users;
  log: Logger;
}

export interface Broadcaster {
  /** Follows the log from its end on, until the signal aborts. Resolves once it follows. */
  follow(signal: AbortSignal): Promise<void>;
  /** The position of the last event told. */
  position(): Position;
}

const BATCH = 200;
const RETRY_MS = 1_000;

/**
 * Tells the rooms of this node what happened, in the order of the log. Every node follows the log for itself, so a
 * push needs no other node. It is a hint: `heads` and `sync` repair whatever is lost.
 */
export function createBroadcaster({ io, store, loader, users, log }: BroadcasterDeps): Broadcaster {
  let position: Position = 0;

  /** The heads of the groups that somebody here is about to be put into. */
  function headsToTell(events: readonly Recorded[]): Promise<Map<GroupId, number>> | undefined {
    const entered = events.flatMap((event) => {
      const move = isGroupEvent(event) ? moveOf(event) : undefined;
      return move?.to === 'in' && users.find(move.userId) ? [move.groupId] : [];
    });
    return entered.length > 0 ? headSeqs(store, entered) : undefined;
  }

  function tell(event: Recorded, heads: Map<GroupId, number> | undefined): void {
    if (!isGroupEvent(event)) return tellUploader(event);
    const { groupId } = event.data;
    if (isChatGroupEvent(event)) loader.absorb(chatGroupOf(groupId), [event]);
    const move = moveOf(event);
    if (move) follow(move, heads);
    const name = pushedAs[event.type];
    if (name) io.to(groupRoom(groupId)).emit(name, toEnvelope(event) as never);
  }

  function tellUploader(event: Recorded): void {
    const told = fileNewsOf(event);
    if (told) io.to(userRoom(told.uploaderId)).emit('fileStatusChanged', told.news);
  }

  function follow(move: Move, heads: Map<GroupId, number> | undefined): void {
    const user = users.find(move.userId);
    if (!user) return;
    user.membershipChanges += 1;
    for (const socket of user.sockets) {
      if (move.to === 'out') takeOut(socket, move);
      else putIn(socket, move.groupId, heads?.get(move.groupId) ?? 0);
    }
  }

  function takeOut(socket: ChatSocket, { groupId, reason }: Move & { to: 'out' }): void {
    const wasInside = socket.rooms.has(groupRoom(groupId)) || socket.data.unheard.delete(groupId);
    void socket.leave(groupRoom(groupId));
    if (wasInside) socket.emit('leaveRoom', { groupId, reason });
  }

  function putIn(socket: ChatSocket, groupId: GroupId, headSeq: number): void {
    const { unheard, wire } = socket.data;
    if (wire.isCut || unheard.has(groupId) || socket.rooms.has(groupRoom(groupId))) return;
    void socket.join(groupRoom(groupId));
    socket.emit('joinRoom', { groupId, headSeq });
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const events of store.subscribe({ after: position, limit: BATCH, signal })) {
          const heads = await headsToTell(events);
          for (const event of events) {
            tell(event, heads);
            position = event.position;
          }
        }
      } catch (err) {
        if (signal.aborted) return;
        log.error({ err, position }, 'the broadcaster lost the log, following again');
        await pause(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  return {
    async follow(signal) {
      position = await store.head();
      void run(signal);
    },
    position: () => position,
  };
}
