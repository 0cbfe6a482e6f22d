import pino from 'pino';
import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import type { EventStore, Position } from '../../../src/events/event-store.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { postgresCheckpoint } from '../../../src/adapters/postgres/tables/checkpoints.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { createRedisNodeBus } from '../../../src/adapters/redis/node-bus.ts';
import { createRedisOnlineRegistry } from '../../../src/adapters/redis/online-registry.ts';
import { startBroadcaster } from '../../../src/realtime/delivery/broadcaster.ts';
import { createDeliveryServer } from '../../../src/realtime/cluster/deliver-everywhere.ts';
import type { NodeBus } from '../../../src/realtime/cluster/node-bus.ts';
import type { OnlineRegistry } from '../../../src/realtime/presence/online-registry.ts';
import type { Delivery } from '../../../src/realtime/delivery/delivery.ts';
import type { RealtimeSettings } from '../../../src/realtime/settings.ts';
import { createTestDatabase } from './database.ts';
import { linksTo, startRedis } from '../../../tools/redis.ts';
import { until } from '../../../tools/until.ts';
import { type World, createWorld, named } from './sockets.ts';

/** Nodes and broadcasters in one test process, on one PostgreSQL and one Redis. */
export async function openClusterStage() {
  const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const redis = await startRedis();
  const database = await createTestDatabase();
  const { url } = database;
  const pool = createPool({ url, max: 8, applicationName: 'test', log });
  const closing: (() => unknown)[] = [];

  async function openStore(): Promise<EventStore> {
    const store = createPostgresEventStore({ pool, url, log });
    await store.start();
    closing.push(() => store.close());
    return store;
  }

  async function link(to = redis.url) {
    const links = await linksTo(to, log);
    closing.push(() => links.close());
    return { links, bus: createRedisNodeBus({ redis: links }) };
  }

  /** Starts a gateway like one in a process of its own. */
  async function node(
    change: {
      settings?: Partial<RealtimeSettings>;
      /** The URL at which it reaches Redis. */
      redisUrl?: string;
      bus?: (bus: NodeBus) => NodeBus;
      registry?: (registry: OnlineRegistry) => OnlineRegistry;
    } = {},
  ): Promise<World> {
    const { links, bus } = await link(change.redisUrl);
    const { bus: carried = (same) => same, registry: registered = (same) => same } = change;
    const registry = createRedisOnlineRegistry({ redis: links, nodeId: `node ${closing.length}` });
    const world = await createWorld({
      store: await openStore(),
      log,
      settings: change.settings ?? {},
      cluster: { bus: carried(bus), registry: registered(registry) },
    });
    closing.push(() => world.stop());
    return world;
  }

  /** Starts a broadcaster like one in a process of its own; `die` acts like kill -9 on the checkpoint. */
  async function broadcaster(through: (delivery: Delivery) => Delivery = (same) => same) {
    const { links, bus } = await link();
    const store = await openStore();
    const server = createDeliveryServer(bus);
    const kept = postgresCheckpoint(pool, 'realtime');
    let isDead = false;
    const checkpoint = {
      load: () => kept.load(),
      save: async (position: Position) => (isDead ? undefined : kept.save(position)),
    };
    const delivery = through(server.delivery);
    const loader = new AggregateLoader(store, new Map());
    const running = startBroadcaster({
      delivery,
      store,
      loader,
      unseenBy: async () => new Map(),
      namedFiles: async (files) => new Map(await named(store, files)),
      from: checkpoint,
      log,
    });
    // It begins at the head of the log and leaves earlier events to `heads`.
    if ((await store.head()) > 0)
      await until(
        () => running.position() > 0 || running.failure() !== undefined,
        'the broadcaster to begin',
      );
    let isStopped = false;
    async function stop() {
      if (isStopped) return;
      isStopped = true;
      await running.stop();
      await server.close();
    }
    closing.push(stop);
    return {
      ...running,
      stop,
      async die() {
        isDead = true;
        await links.close();
        await stop();
      },
      savedAt: () => kept.load(),
    };
  }

  return {
    redis,
    node,
    broadcaster,
    registry: async () => {
      const { links } = await link();
      return createRedisOnlineRegistry({ redis: links, nodeId: 'notifier' });
    },
    async close() {
      for (const close of closing.toReversed()) await close();
      await pool.end();
      await database.drop();
      await redis.stop();
    },
  };
}

export type ClusterStage = Awaited<ReturnType<typeof openClusterStage>>;
