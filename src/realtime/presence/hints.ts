import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import type { Reading } from '../../commands/read-marker/move-read-marker.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { ChatServer } from '../connection/connection.ts';
import type { HintName, Packet, Send, Target, WriteFrames } from '../delivery/wire.ts';
import { hintBudgets } from './hint-budgets.ts';
import { presenceHints } from './presence-hints.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Users } from './users.ts';

type Payload<N extends HintName> = Parameters<ServerToClientEvents[N]>[0];

/** Maximum number of users in a room whose read receipts wait. Beyond it the oldest are lost, as hints may be. */
const MAX_WAITING = 100;

export interface Hints {
  /**
   * Sends the read position of a member to its group; `from` is the socket that reported it, which does not
   * get the hint.
   */
  read(reading: Reading, from?: string): Promise<void>;
  typing(typing: Payload<'typing'> & Member, from: string): Promise<void>;
  /** Notifies the other members of some groups that a user has come or gone. */
  presence(userId: UserId, online: boolean, groupIds: readonly GroupId[]): void;
}

interface HintsDeps {
  /** Sends to the sockets of all nodes. */
  send: Send;
  loader: Pick<AggregateLoader, 'load'>;
  queries: { isListed: (member: Member) => Promise<boolean> };
  log: Logger;
}
interface Member {
  groupId: GroupId;
  userId: UserId;
}

/**
 * Sends hints to the sockets of all nodes. A company's people read threads where the applicant does not know of them: what
 * they do there, it hears from when they are in the list of members.
 */
export function createHints({ send, loader, queries, log }: HintsDeps): Hints {
  function emit<N extends HintName>(
    name: N,
    payload: Payload<N>,
    groupIds: readonly string[],
    except: readonly string[],
    { volatile, online }: { volatile?: boolean; online?: boolean } = {},
  ): void {
    const hint = { name, userId: payload.userId as UserId, online };
    const rooms = new Set(groupIds.map(groupRoom));
    const target = {
      rooms,
      except: new Set(except),
      flags: { volatile, hint },
    };
    send({ data: [name, payload] }, target);
  }

  /** Resolves with the applicant who does not know of a member. */
  async function unawareOf({ groupId, userId }: Member): Promise<UserId[]> {
    const { state: group } = await loader.load(chatGroupOf(groupId));
    if (group.status === 'none' || group.kind !== 'thread' || group.applicantId === null) return [];
    const { applicantId } = group;
    return userId === applicantId || (await queries.isListed({ groupId, userId })) ? [] : [applicantId];
  }

  async function tell<N extends 'messagesRead' | 'typing'>(
    name: N,
    payload: Payload<N> & Member,
    from: string | undefined,
    flags?: { volatile: boolean },
  ): Promise<void> {
    try {
      const unaware = (await unawareOf(payload)).map(userRoom);
      emit(name, payload, [payload.groupId], from === undefined ? unaware : [from, ...unaware], flags);
    } catch (err) {
      log.warn({ err }, 'who may know of a reader is not known; clients learn it when they ask');
    }
  }

  return {
    read: (reading, from) => tell('messagesRead', reading, from),
    typing: (typing, from) => tell('typing', typing, from, { volatile: true }),
    presence: (userId, online, groupIds) =>
      emit('presence', { userId, online }, groupIds, [userRoom(userId)], { online }),
  };
}

/**
 * Returns the function that writes to the sockets of this node, with hints limited to the budgets of their
 * rooms. Every member of a room who reads, types, comes or goes causes a hint to every other member, so
 * together hints grow with the square of the room. Each node limits the frames that a room costs. The user's
 * own sockets get a read receipt at once. Others get the latest receipt when the room has frames again, and
 * typing while there are frames.
 */
export function boundHints(io: ChatServer, users: Users, write: WriteFrames): Send {
  const budgets = hintBudgets(io);
  const writePresence = presenceHints(budgets, write);

  function writeToOwn(userId: UserId, room: string, packet: Packet, target: Target): void {
    const own = [...(users.find(userId)?.sockets ?? [])].filter(({ rooms }) => rooms.has(room));
    if (own.length > 0) write(packet, { ...target, rooms: new Set(own.map(({ id }) => id)) });
  }

  return (packet, target) => {
    const { hint, volatile } = target.flags ?? {};
    const [room] = target.rooms;
    if (!hint || room === undefined) return void write(packet, target);
    const { name, userId, online = false } = hint;
    if (name === 'presence') return writePresence(packet, target, userId, online);
    if (budgets.take(room, name)) return void write(packet, target);
    if (volatile) return;
    writeToOwn(userId, room, packet, target);
    const except = new Set([...(target.except ?? []), userRoom(userId)]);
    budgets.share(room, name, userId, () => write(packet, { ...target, except }), MAX_WAITING);
  };
}
