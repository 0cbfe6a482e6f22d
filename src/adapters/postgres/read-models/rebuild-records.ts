import type pg from 'pg';
import type { Logger } from 'pino';
import type { Position } from '../../../events/event-store.ts';
import type { ActId, UserId } from '../../../events/ids.ts';
import { reasonOf } from '../../../kit/reason.ts';
import type { Rebuild } from '../../../projections/upkeep.ts';
import { Client } from '../client.ts';
import { columnTypes, withSession } from '../connection.ts';

/** The first half of the advisory locks of rebuilds. The second is the read model's name. */
export const LOCK_SPACE = 723_317;
/** Progress is written no more often than this. */
const EVERY_MS = 1_000;
/** A rebuild that was begun this often and never ended is not begun again: it may be what ends the process. */
const MOST_ATTEMPTS = 5;
const LONGEST_ERROR = 1_000;

/** The condition that somebody rebuilds the read model of a row `r` now. It ends with the connection, unlike a row. */
const IS_LOCKED = `exists (
  select from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.classid = ${LOCK_SPACE} and l.objid = hashtext(r.name)::oid
    and l.objsubid = 2 and l.database = (select oid from pg_database where datname = current_database())
)`;
const IS_CUT_OFF = `r.state = 'running' and not ${IS_LOCKED}`;
/** Until the end of the attempts, the process that leads the projections begins again what it was asked for. */
const GOES_ON = `r.act_id is not null and r.attempts < ${MOST_ATTEMPTS}`;
const IS_UNDER_WAY = `(r.state = 'requested' or r.state = 'running' and (${IS_LOCKED} or ${GOES_ON}))`;

const REBUILD = `
  r.name, case when ${IS_CUT_OFF} then case when ${GOES_ON} then 'requested' else 'failed' end else r.state end as state,
  r.position, r.head, r.requested_at as "requestedAt", r.started_at as "startedAt", r.finished_at as "finishedAt",
  case when ${IS_CUT_OFF} and not (${GOES_ON}) then 'it was cut off' else r.error end as error,
  r.requested_by as "requestedBy"`;

type Row = { name: string } & Rebuild & Record<'requestedAt' | 'startedAt' | 'finishedAt', Date | null>;

const rebuildIn = ({ name: _, requestedAt, startedAt, finishedAt, ...row }: Row): Rebuild => ({
  ...row,
  requestedAt: requestedAt?.toISOString() ?? null,
  startedAt: startedAt?.toISOString() ?? null,
  finishedAt: finishedAt?.toISOString() ?? null,
});

/** Resolves with the last rebuild of each read model that has had one. */
export async function lastRebuilds(pool: Pick<pg.Pool, 'query'>): Promise<Map<string, Rebuild>> {
  const { rows } = await pool.query<Row>(`select ${REBUILD} from read_model_rebuilds r`);
  return new Map(rows.map((row) => [row.name, rebuildIn(row)]));
}

/** Asks for a rebuild, unless one is under way, or this act has asked already. Resolves with the one that stands there. */
export async function requestRebuild(
  pool: Pick<pg.Pool, 'query'>,
  { name, actId, requestedBy, force }: { name: string; actId: ActId; requestedBy: UserId; force: boolean },
): Promise<Rebuild> {
  await pool.query(
    `insert into read_model_rebuilds as r (name, act_id, requested_by, requested_at, force, state)
     values ($1, $2, $3, clock_timestamp(), $4, 'requested')
     on conflict (name) do update
       set act_id = excluded.act_id, requested_by = excluded.requested_by, requested_at = excluded.requested_at,
         force = excluded.force, state = excluded.state, attempts = 0, position = null, head = null,
         started_at = null, finished_at = null, error = null
       where r.act_id is distinct from excluded.act_id and not ${IS_UNDER_WAY}`,
    [name, actId, requestedBy, force],
  );
  const { rows } = await pool.query<Row>(`select ${REBUILD} from read_model_rebuilds r where r.name = $1`, [
    name,
  ]);
  return rebuildIn(rows[0]!);
}

/** A rebuild that was asked for and that nobody is at, the first to be asked for first. */
export interface WaitingRebuild {
  name: string;
  actId: string;
  force: boolean;
}

/** Resolves with the rebuilds of these read models that wait for somebody to begin them, or to begin them again. */
export async function waitingRebuilds(
  pool: Pick<pg.Pool, 'query'>,
  names: readonly string[],
): Promise<WaitingRebuild[]> {
  const { rows } = await pool.query<WaitingRebuild>(
    `select r.name, r.act_id as "actId", r.force from read_model_rebuilds r
     where r.name = any ($1) and (r.state = 'requested' or ${IS_CUT_OFF}) and ${GOES_ON}
     order by r.requested_at`,
    [names],
  );
  return rows;
}

/** What is written about rebuilds while they run. */
export interface RebuildRecords {
  /** Resolves with false when the rebuild of the act has been done by somebody else meanwhile. */
  begin(): Promise<boolean>;
  reach(step: { position: Position; head: Position }): void;
  /** Writes it in the transaction of the connection that switches: a rebuild that is done is not done again. */
  done(owner: pg.ClientBase, name: string, position: Position): Promise<void>;
  /** Does nothing for a rebuild that was not begun here, or is done. */
  failed(name: string, error: unknown): void;
  /** Resolves once everything is written. */
  close(): Promise<void>;
}

const FRESH = `state = 'running', attempts = r.attempts + 1, position = 0, head = null,
  started_at = clock_timestamp(), finished_at = null, error = null`;

/** One that was asked for and is begun by somebody else remains that of the operator. */
const BEGIN = `
  insert into read_model_rebuilds as r (name, force, state, attempts, position, started_at)
  select name, $2, 'running', 1, 0, clock_timestamp() from unnest($1::text[]) name
  on conflict (name) do update
    set ${FRESH}, force = excluded.force,
      act_id = case when r.state in ('requested', 'running') then r.act_id end,
      requested_by = case when r.state in ('requested', 'running') then r.requested_by end,
      requested_at = case when r.state in ('requested', 'running') then r.requested_at end`;

const BEGIN_ACT = `
  update read_model_rebuilds r set ${FRESH}
  where name = any ($1) and act_id = $2 and state in ('requested', 'running')`;

/**
 * Opens the records of rebuilds on a connection of their own, which is not needed: a rebuild goes on when they cannot be
 * written. Call `begin` with the locks of the read models held.
 */
export async function recordRebuilds({
  databaseUrl,
  names,
  force,
  actId,
  log,
}: {
  databaseUrl: string;
  names: readonly string[];
  force: boolean;
  /** The act that has asked for the rebuild, which is done only while it is asked for. */
  actId: string | undefined;
  log: Logger;
}): Promise<RebuildRecords> {
  const client = new Client({
    connectionString: withSession(databaseUrl, {}),
    application_name: 'rebuild records',
    connectionTimeoutMillis: 5_000,
    types: columnTypes,
  });
  client.on('error', () => {});
  await client.connect();
  let written = Promise.resolve();
  let lastReached = -Infinity;
  let isBegun = false;

  function write(text: string, values: unknown[]): void {
    written = written.then(async () => {
      await client.query(text, values).catch((err: unknown) => {
        log.warn({ err, projections: names }, 'could not record how far a rebuild is; it goes on');
      });
    });
  }
  return {
    async begin() {
      const { rowCount } =
        actId === undefined
          ? await client.query(BEGIN, [names, force])
          : await client.query(BEGIN_ACT, [names, actId]);
      isBegun = rowCount === names.length;
      return isBegun;
    },
    reach({ position, head }) {
      const now = performance.now();
      if (now - lastReached < EVERY_MS && position < head) return;
      lastReached = now;
      write(
        `update read_model_rebuilds set position = $2, head = $3 where name = any ($1) and state = 'running'`,
        [names, position, head],
      );
    },
    async done(owner, name, position) {
      await owner.query(
        `update public.read_model_rebuilds
         set state = 'done', finished_at = clock_timestamp(), position = $2, head = $2 where name = $1`,
        [name, position],
      );
    },
    failed(name, error) {
      if (!isBegun) return;
      write(
        `update read_model_rebuilds set state = 'failed', finished_at = clock_timestamp(), error = $2
         where name = $1 and state = 'running'`,
        [name, reasonOf(error).slice(0, LONGEST_ERROR)],
      );
    },
    async close() {
      await written;
      await client.end().catch(() => {});
    },
  };
}
