import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import { companyOf } from '../../commands/company/company.ts';
import { loadRoom, mayInRoom } from '../../commands/chat-group/room.ts';
import { type EventStore, NO_STREAM, type Position, type Revision } from '../../events/event-store.ts';
import type { GroupKind } from '../../events/chat-group.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { ChatServer, ChatSocket, User } from '../connection/connection.ts';
import { headsOfOne, revisionsOf } from './heads.ts';
import { groupOfRoom, groupRoom, putIn, takeOut } from './rooms.ts';
import type { RosterNews, StaffNews } from '../cluster/deliver-everywhere.ts';
import type { Users } from '../presence/users.ts';

/** Maximum number of events of one group that wait until its room is correct. `heads` announces the rest. */
const MOST_HELD = 1_000;
/** Number of roster changes that are read back to tell "left" from "removed". */
const REASONS = 200;

interface RostersDeps {
  io: ChatServer;
  users: Users;
  store: Pick<EventStore, 'readStream' | 'revisions'>;
  epoch: string;
  loader: AggregateLoader;
  bus: Pick<NodeBus, 'subscribed'>;
  reenter: (user: User, from: Position) => void;
  log: Logger;
}

export interface RoomFence {
  /** Records the news from another node that a roster has changed. */
  onRoster(news: RosterNews): void;
  /** Records the news from another node that the people of a company have changed. */
  onStaff(news: StaffNews): void;
  /**
   * Calls `deliver` once the group's room matches the log, its roster at `needs` or later, and companies at `staff`;
   * never when that cannot be known.
   */
  pass(groupId: GroupId, relies: { needs: Revision; staff: Position }, deliver: () => void): void;
  /** Brings a room in line with the log. Resolves when it is, or when that is not possible now. */
  correct(groupId: GroupId): Promise<void>;
  /** Finds rooms whose rosters changed without news. */
  sweep(): Promise<void>;
  /** Marks all rooms as unknown, because news may have been missed. */
  doubt(): void;
}

/** A room that is being brought in line with the log. */
interface Correction {
  needs: Revision;
  held: (() => void)[];
  /** The users whom the changes concern, as far as known. */
  concerned: Set<UserId>;
  done: Promise<void>;
}

/**
 * Keeps the rooms of one node of a cluster in line with the rosters in the log. News from other nodes may be
 * lost, late or repeated; they are only a reason to read the log. An event passes once the room is at least
 * as new as the roster that the event relied on. So a removed member receives nothing that was sent after the
 * removal, even if news are lost.
 */
export function createRoomFence({
  io,
  users,
  store,
  epoch,
  loader,
  bus,
  reenter,
  log,
}: RostersDeps): RoomFence {
  const main = io.of('/');
  const { adapter } = main;
  /** The roster revision that a room matches; absent once a socket has entered by another way. */
  const known = new Map<GroupId, Revision>();
  const corrections = new Map<GroupId, Correction>();
  /** The position up to which the changes of companies' people are known. */
  let staffKnown: Position = 0;
  const knownOf = (groupId: GroupId) => known.get(groupId) ?? NO_STREAM;
  const forget = (room: string) => {
    const groupId = groupOfRoom(room);
    if (groupId !== undefined) known.delete(groupId);
  };
  adapter.on('join-room', forget);
  adapter.on('delete-room', forget);

  function look(groupId: GroupId, needs: Revision): Correction {
    const running = corrections.get(groupId);
    if (running) {
      running.needs = Math.max(running.needs, needs);
      return running;
    }
    const correction: Correction = { needs, held: [], concerned: new Set(), done: Promise.resolve() };
    corrections.set(groupId, correction);
    correction.done = settle(groupId, correction);
    return correction;
  }

  async function settle(groupId: GroupId, correction: Correction): Promise<void> {
    try {
      let needed: Revision;
      do {
        needed = correction.needs;
        const revision = await bringInLine(groupId, correction.concerned);
        if (revision < needed) throw new Error(`the log has ${groupId} at ${revision}, not at ${needed} yet`);
      } while (correction.needs > needed);
    } catch (err) {
      correction.held = [];
      log.warn(
        { err, groupId },
        'could not compare a room with the log; clients learn from heads what was sent',
      );
    }
    corrections.delete(groupId);
    for (const deliver of correction.held) deliver();
  }

  async function bringInLine(groupId: GroupId, concerned: Set<UserId>): Promise<Revision> {
    const { group, revision, company } = await loadRoom((ref) => loader.refresh(ref), groupId);
    const room = { group, company };
    const left: ChatSocket[] = [];
    const entered: ChatSocket[] = [];
    const isInside = (userId: UserId) => mayInRoom(room, userId, 'read');
    for (const socket of [...socketsIn(groupId), ...socketsOf(concerned)])
      if (!isInside(socket.data.user.id) && takeOut(socket, groupId)) left.push(socket);
    const isPrivate = group.status !== 'none' && group.kind !== 'job';
    const candidates = new Set([
      ...(group.status === 'none' ? [] : group.members.keys()),
      ...(isPrivate ? (company?.members.keys() ?? []) : []),
    ]);
    for (const userId of candidates)
      if (isInside(userId))
        for (const socket of socketsOf([userId])) if (putIn(socket, groupId)) entered.push(socket);
    concerned.clear();
    for (const { data } of [...left, ...entered]) data.user.membershipChanges += 1;
    if (adapter.rooms.has(groupRoom(groupId))) known.set(groupId, revision);
    const notSent = (err: unknown) =>
      log.warn({ err, groupId }, 'could not tell a socket about its room; heads repair it');
    if (left.length > 0) announceLeft(groupId, left, revision).catch(notSent);
    if (group.status !== 'none' && entered.length > 0)
      announceEntered(groupId, group.kind, entered).catch(notSent);
    return revision;
  }

  function* socketsIn(groupId: GroupId): Generator<ChatSocket> {
    for (const id of adapter.rooms.get(groupRoom(groupId)) ?? []) {
      const socket = main.sockets.get(id);
      if (socket) yield socket;
    }
  }

  function* socketsOf(userIds: Iterable<UserId>): Generator<ChatSocket> {
    for (const userId of userIds) yield* users.find(userId)?.sockets ?? [];
  }

  async function announceEntered(
    groupId: GroupId,
    kind: GroupKind,
    sockets: readonly ChatSocket[],
  ): Promise<void> {
    await bus.subscribed();
    const heads = await headsOfOne(store, groupId);
    for (const socket of sockets)
      if (socket.rooms.has(groupRoom(groupId))) socket.emit('joinRoom', { groupId, ...heads, epoch, kind });
  }

  async function announceLeft(groupId: GroupId, sockets: readonly ChatSocket[], at: Revision): Promise<void> {
    const from = Math.max(0, at + 1 - REASONS);
    const changes = await store.readStream(chatGroupStream(groupId), { from, limit: REASONS });
    const thoseWhoLeft = new Set<UserId>();
    for (const { type, data } of changes) {
      if (type === 'MemberLeft') thoseWhoLeft.add(data.userId);
      else if (type === 'MemberRemoved') thoseWhoLeft.delete(data.userId);
    }
    for (const socket of sockets) {
      const reason = thoseWhoLeft.has(socket.data.user.id) ? 'left' : 'removed';
      socket.emit('leaveRoom', { groupId, reason });
    }
  }

  return {
    onRoster({ groupId, userId, revision, isForStaff }) {
      const user = userId && users.find(userId);
      if (user) user.membershipChanges += 1;
      const mayConcern = user !== undefined || isForStaff || adapter.rooms.has(groupRoom(groupId));
      if (!mayConcern) return loader.forget(chatGroupOf(groupId));
      if (knownOf(groupId) >= revision) return;
      const correction = look(groupId, revision);
      if (userId) correction.concerned.add(userId);
    },

    onStaff({ companyId, userId, position }) {
      loader.forget(companyOf(companyId));
      staffKnown = Math.max(staffKnown, position);
      const user = userId && users.find(userId);
      if (user) reenter(user, position);
      else if (!userId) known.clear();
    },

    pass(groupId, { needs, staff }, deliver) {
      if (staffKnown < staff) {
        known.clear();
        staffKnown = staff;
      }
      const running = corrections.get(groupId);
      if (!running && knownOf(groupId) >= needs) return deliver();
      if (!adapter.rooms.has(groupRoom(groupId))) return;
      const { held } = look(groupId, needs);
      if (held.length < MOST_HELD) held.push(deliver);
    },

    correct: (groupId) => look(groupId, NO_STREAM).done,

    async sweep() {
      const groupIds = [...known.keys()];
      const revisions = await revisionsOf(store, groupIds.map(chatGroupStream));
      for (const groupId of groupIds) {
        const revision = revisions.get(chatGroupStream(groupId)) ?? NO_STREAM;
        if (known.has(groupId) && knownOf(groupId) < revision) await look(groupId, revision).done;
      }
    },

    doubt: () => known.clear(),
  };
}
