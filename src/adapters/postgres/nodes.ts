import { hostname } from 'node:os';
import type pg from 'pg';
import type { Logger } from 'pino';
import { sleep } from '../../kit/back-off.ts';

/** A process that runs on the database. */
export interface Node {
  nodeId: string;
  host: string;
  version: string;
  roles: string[];
  hasRedis: boolean;
  /** By the clock of the database. */
  startedAt: Date;
}

export interface Nodes {
  /** Resolves with the other processes that run now, the first to start first. */
  others(): Promise<Node[]>;
  /** Resolves once the others no longer count this process. */
  leave(): Promise<void>;
}

const SEEN_EVERY_MS = 2_000;
/** A process that was not seen for this long is gone. */
const GONE_SECONDS = 10;

const BE_SEEN = `
  with gone as (delete from nodes where seen_at < clock_timestamp() - interval '1 hour' and node_id <> $1)
  insert into nodes (node_id, host, version, roles, has_redis) values ($1, $2, $3, $4, $5)
  on conflict (node_id) do update set seen_at = excluded.seen_at`;

const SEEN = `
  select node_id as "nodeId", host, version, roles, has_redis as "hasRedis", started_at as "startedAt"
  from nodes where seen_at > clock_timestamp() - make_interval(secs => ${GONE_SECONDS})
  order by started_at, node_id`;

/** Resolves with all processes that run on the database. */
export const runningNodes = async (pool: Pick<pg.Pool, 'query'>): Promise<Node[]> =>
  (await pool.query<Node>(SEEN)).rows;

/** Makes this process known to the others on the database, until it leaves. */
export async function joinNodes({
  pool,
  log,
  ...node
}: { pool: Pick<pg.Pool, 'query'>; log: Logger } & Pick<Node, 'nodeId' | 'version' | 'hasRedis'> & {
    roles: readonly string[];
  }): Promise<Nodes> {
  const { nodeId } = node;
  const leaving = new AbortController();
  const beSeen = () =>
    pool.query(BE_SEEN, [nodeId, hostname(), node.version, [...node.roles], node.hasRedis]);
  await beSeen();

  async function run(): Promise<void> {
    for (;;) {
      await sleep(SEEN_EVERY_MS, leaving.signal);
      if (leaving.signal.aborted) return;
      await beSeen().catch((err: unknown) =>
        log.warn({ err }, 'could not tell other processes that this one runs; trying again in 2 s'),
      );
    }
  }
  const running = run();

  return {
    others: async () => (await runningNodes(pool)).filter((each) => each.nodeId !== nodeId),
    async leave() {
      leaving.abort();
      await running;
      await pool.query('delete from nodes where node_id = $1', [nodeId]).catch(() => undefined);
    },
  };
}
