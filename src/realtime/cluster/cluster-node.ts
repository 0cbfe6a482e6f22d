import type { Logger } from 'pino';
import { sleep } from '../../kit/back-off.ts';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Progress } from '../../projections/projection.ts';
import { whoIsOnlineInCluster } from '../presence/who-is-online.ts';
import type { NodeBus } from './node-bus.ts';
import { type NodeNewsHandlers, deliverEverywhere, sendOverNodeBus } from './deliver-everywhere.ts';
import type { ChatServer, User } from '../connection/connection.ts';
import type { HeadAnnouncer } from '../rooms/heads.ts';
import type { Node } from './node.ts';
import type { Send } from '../delivery/wire.ts';
import { ATTENDANCE_MS, type OnlineRegistry } from '../presence/online-registry.ts';
import type { BroadcastProgress } from '../delivery/delivery.ts';
import type { Renamed } from '../presence/profile.ts';
import type { Deleted } from '../presence/unread.ts';
import { trackReceived } from '../presence/received.ts';
import { groupOfRoom, groupRoom, groupsAmong } from '../rooms/rooms.ts';
import { createRoomFence } from '../rooms/room-fence.ts';
import type { RealtimeSettings } from '../settings.ts';
import type { Users } from '../presence/users.ts';
import type { Rooms } from '../../queries/groups.ts';

const CATCH_UP_MS = 2_000;
const RETRY_MS = 1_000;
const REPORT_MS = 1_000;
/** A third of the time after which a report about a user is forgotten. */
const REFRESH_MS = ATTENDANCE_MS / 3;

interface ClusterNodeDeps {
  io: ChatServer;
  /** Writes to the sockets of this node. */
  write: Send;
  bus: NodeBus;
  registry: OnlineRegistry;
  users: Users;
  store: EventStore;
  epoch: string;
  loader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
  roomsOfUser: (userId: UserId) => Promise<Rooms>;
  heads: HeadAnnouncer;
  reenter: (user: User, from: Position) => void;
  deleted: (message: Deleted) => void;
  renamed: (user: Renamed) => void;
  settings: Pick<RealtimeSettings, 'headsIntervalMs' | 'maxSocketsPerUser'>;
  signal: AbortSignal;
  log: Logger;
}

/** Creates one of several nodes. One broadcaster follows the log for all of them. */
export function clusterNode(deps: ClusterNodeDeps): Node {
  const { io, write, bus, registry, users, store, heads, settings, signal, log } = deps;
  const { adapter } = io.of('/');
  const fence = createRoomFence(deps);
  const delivered: BroadcastProgress = { until: 0, leftOutUntil: 0 };
  const tracker = trackReceived(io, users, {
    sentUntil: () => delivered.until,
    onReceived: (userId) => whoIsOnline.changed(userId),
  });
  const { maxSocketsPerUser } = settings;
  const whoIsOnline = whoIsOnlineInCluster({ users, tracker }, { registry, maxSocketsPerUser, log });
  const handlers: NodeNewsHandlers = {
    ...{ roster: fence.onRoster, staff: fence.onStaff },
    ...{ deleted: deps.deleted, renamed: deps.renamed, progress: onProgress },
  };
  let recheckAgain = false;
  let rechecking: Promise<void> | undefined;

  const send = sendOverNodeBus(adapter, {
    write(packet, target) {
      const { needs, staff = 0 } = target.flags ?? {};
      const [room] = target.rooms;
      const groupId = room === undefined ? undefined : groupOfRoom(room);
      if (needs === undefined || groupId === undefined) write(packet, target);
      else fence.pass(groupId, { needs, staff }, () => write(packet, target));
    },
    handlers,
  });

  function onProgress({ until, leftOutUntil }: BroadcastProgress): void {
    delivered.until = Math.max(delivered.until, until);
    if (leftOutUntil <= delivered.leftOutUntil) return;
    delivered.leftOutUntil = leftOutUntil;
    tracker.missed();
  }

  /** Resolves with the groups whose rooms differ from the read model for a user. */
  async function doubtful(userId: UserId): Promise<Set<GroupId>> {
    const groups = new Set((await deps.roomsOfUser(userId)).rooms.map(({ groupId }) => groupId));
    const found = new Set<GroupId>();
    for (const { rooms, data } of users.find(userId)?.sockets ?? []) {
      for (const groupId of groupsAmong(rooms)) if (!groups.has(groupId)) found.add(groupId);
      for (const groupId of groups)
        if (!rooms.has(groupRoom(groupId)) && !data.leftRooms.has(groupId)) found.add(groupId);
    }
    return found;
  }

  /**
   * Checks one user after the other, because the log and the read model also serve others, and are busy after
   * an outage.
   */
  async function recheckAll(): Promise<void> {
    if (!(await deps.progress.reached(await store.head(), CATCH_UP_MS)))
      throw new Error('the read model is behind');
    for (const userId of [...users.all()].map(({ id }) => id)) {
      if (signal.aborted) return;
      for (const groupId of await doubtful(userId)) await fence.correct(groupId);
    }
  }

  async function recheck(): Promise<void> {
    while (recheckAgain && !signal.aborted) {
      recheckAgain = false;
      try {
        await recheckAll();
      } catch (err) {
        recheckAgain = true;
        log.warn({ err }, 'could not compare the rooms with the read model; retrying in 1 s');
        await sleep(RETRY_MS, signal, { ref: false });
      }
    }
    rechecking = undefined;
  }

  bus.onReturn(() => {
    tracker.missed();
    fence.doubt();
    heads.afresh();
    recheckAgain = true;
    rechecking ??= recheck();
  });

  return {
    send,
    delivery: deliverEverywhere({ io, bus, send, here: handlers }),
    tracker,
    whoIsOnline,
    isElsewhere: whoIsOnline.isElsewhere,
    admits: whoIsOnline.admits,
    changed: whoIsOnline.changed,
    position: () => store.head(),
    subscribed: () => bus.subscribed(),
    async start(every) {
      every(REPORT_MS, whoIsOnline.report);
      every(REFRESH_MS, whoIsOnline.refresh);
      every(settings.headsIntervalMs, fence.sweep);
    },
    async close() {
      await rechecking;
      await whoIsOnline.report();
      await adapter.close();
    },
  };
}
