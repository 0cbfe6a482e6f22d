import { statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Check, Checks } from '../http/readiness.ts';
import { reusedFor } from '../kit/reuse.ts';
import { createFollowerLags } from '../adapters/postgres/follower-lags.ts';
import { TERM_MS } from '../adapters/postgres/leases.ts';
import { readWaiting } from '../adapters/postgres/waiting.ts';
import type { Measure } from '../adapters/prometheus/measures.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import type { DatabaseParts } from './log.ts';
import { readModelsFor } from './read-models.ts';

/** Readiness and a scrape that come together share what was read. */
const REUSED_MS = 500;
/** Age of the oldest unhandled event from which a follower is reported. */
const BEHIND_SECONDS = 10;
/** The same for those that wait on purpose: for whoever is online to read, or for other followers. */
const PATIENT: Record<string, number> = { notifier: 60, tidy: 60, erasures: 60, seal: 60 };

/** Each gauge that has to query another part, by the name under which `chat_measure_fresh` reports it. */
type Measures = Record<string, Measure>;
interface Watch {
  needed: Checks;
  useful: Checks;
  measures: Measures;
}

interface WatchDeps extends Pick<DatabaseParts, 'background' | 'leases' | 'pools'> {
  store: EventStore;
  metrics: Metrics;
}

/**
 * Watches what any process of a deployment can tell, because it is in the database: who leads, how far the followers
 * of the log are, and what waits.
 */
export function watchDeployment(config: Config, deps: WatchDeps): Watch {
  const leaders = watchLeaders(config, deps);
  const followers = watchFollowers(config, deps);
  const { background, metrics, pools } = deps;
  return {
    needed: leaders.needed,
    useful: { ...leaders.useful, followers: followers.check },
    measures: {
      leaders: leaders.measure,
      followers: followers.measure,
      async waiting() {
        const { queues, parked } = await readWaiting(background, new Date());
        for (const { queue, ...waiting } of queues) metrics.waiting(queue, waiting);
        metrics.batchesParked(parked);
      },
      async pools() {
        for (const [name, use] of pools) metrics.pool(name, use());
      },
      async disk() {
        const { bavail, blocks, bsize } = await statfs(resolve(config.dataDir));
        metrics.disk({ freeBytes: bavail * bsize, sizeBytes: blocks * bsize });
      },
    },
  };
}

/**
 * Reports leases that nobody has held for longer than their term. Without a projector clients read old states, and
 * without a broadcaster they hear nothing: processes that serve them are not ready. Everything else is done later.
 */
function watchLeaders({ redisUrl, roles }: Config, { leases, metrics }: WatchDeps) {
  const needed = ['projector', ...(redisUrl === undefined ? [] : ['realtime'])];
  const useful = ['reactions', 'notifier', 'files', 'housekeeping', 'erasures'];
  /** Not every deployment seals. */
  const optional = ['seal'];
  const startedAt = performance.now();
  const standing = reusedFor(REUSED_MS, () => leases.standing());

  async function vacant(names: readonly string[]): Promise<string | undefined> {
    const sinceStart = (performance.now() - startedAt) / 1_000;
    const known = new Map((await standing()).map(({ name, vacantSeconds }) => [name, vacantSeconds]));
    const told = names.flatMap((name) => {
      const seconds = known.get(name) ?? (optional.includes(name) ? 0 : sinceStart);
      return seconds * 1_000 > TERM_MS ? [`${name} (for ${Math.round(seconds)} s)`] : [];
    });
    return told.length > 0 ? `no process leads ${told.join(', ')}` : undefined;
  }

  const leaders = { leaders: () => vacant(needed) };
  return {
    needed: roles.has('api') ? leaders : {},
    useful: {
      ...(!roles.has('api') && leaders),
      upkeep: () => vacant([...useful, ...optional]),
    },
    async measure() {
      // A process that is cut off from the database leads nothing for much longer.
      const leading = await standing().catch((error: unknown) => {
        metrics.leading([]);
        throw error;
      });
      const here = new Set(leading.filter(({ isHere }) => isHere).map(({ name }) => name));
      const seals = leading.some(({ name }) => name === 'seal');
      const names = [...needed, ...useful, ...(seals ? optional : [])];
      metrics.leading(names.map((name) => ({ name, isHere: here.has(name) })));
    },
  };
}

/** Reports followers of the log that are behind it. */
function watchFollowers(config: Config, { background: pool, store, metrics }: WatchDeps) {
  const followers = [
    ...readModelsFor(config).map(({ name }) => name),
    ...['reactions', 'notifier', 'tidy', 'erasures'],
    ...(config.redisUrl === undefined ? [] : ['realtime']),
  ];
  const lags = reusedFor(
    REUSED_MS,
    createFollowerLags({ pool, store, followers, sealPlace: config.seal.url }),
  );
  const check: Check = async () => {
    const behind = (await lags()).filter(
      ({ follower, seconds }) => seconds > (PATIENT[follower] ?? BEHIND_SECONDS),
    );
    const told = behind.map(
      ({ follower, seconds, handled }) =>
        `${follower} is ${Math.round(seconds)} s behind, at ${Math.floor(handled * 100)} % of the log`,
    );
    return told.length > 0 ? told.join('; ') : undefined;
  };
  return {
    check,
    async measure() {
      for (const { follower, ...lag } of await lags()) metrics.followerLag(follower, lag);
    },
  };
}
