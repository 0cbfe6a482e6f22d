import type pg from 'pg';
import type { Position } from '../events/event-store.ts';
import type { LogIdentity } from '../adapters/postgres/event-log/identity.ts';
import { inTransaction } from '../adapters/postgres/transactions.ts';

/** A reader came further after its position was read; nothing was changed. */
export class ReadersMoved extends Error {
  override readonly name = 'ReadersMoved';
}

/** Read models have a schema of their name; what has none is another reader, which nothing can be rebuilt from. */
const READ_MODELS = `
  select name from public.checkpoints join pg_namespace on nspname = name order by name`;
const READERS = `
  select name, position from public.checkpoints where name not in (select nspname from pg_namespace) order by name`;

/** Other connections of clients to the database, by what they call themselves: a server is always among them. */
export async function usersOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct coalesce(nullif(application_name, ''), 'unnamed') as name from pg_stat_activity
     where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
     order by name`,
  );
  return rows.map(({ name }) => name);
}

/** The positions in a log that the database remembers, apart from its read models. */
export async function positionsIn(client: pg.Client): Promise<Position[]> {
  const { rows } = await client.query<{ position: string }>(
    `select position from (${READERS}) readers union select position from notifications`,
  );
  return rows.map(({ position }) => Number(position));
}

export interface MovedReaders {
  readers: { name: string; position: Position }[];
  /** They are made anew when a server starts. */
  removed: string[];
}

/**
 * Makes a database follow another log, in one transaction: its readers go on from where `positions` says, its read
 * models are removed. As the owner. Throws `ReadersMoved` when a server uses the database after all.
 */
export function moveReaders(
  client: pg.Client,
  { positions, identity }: { positions: ReadonlyMap<Position, Position>; identity: LogIdentity },
): Promise<MovedReaders> {
  return inTransaction(client, async () => {
    await client.query('lock table public.checkpoints, notifications in exclusive mode');
    if ((await positionsIn(client)).some((position) => !positions.has(position)))
      throw new ReadersMoved('A server has used the database meanwhile: stop it, and run this again');
    const models = await client.query<{ name: string }>(READ_MODELS);
    const removed = models.rows.map(({ name }) => name);
    for (const name of removed) await client.query(`drop schema ${client.escapeIdentifier(name)} cascade`);
    await client.query('delete from public.checkpoints where name = any ($1)', [removed]);

    const moves = [[...positions.keys()], [...positions.values()]];
    for (const table of ['public.checkpoints', 'notifications'])
      await client.query(
        `update ${table} t set position = moved.position
         from unnest($1::bigint[], $2::bigint[]) moved (was, position) where t.position = moved.was`,
        moves,
      );
    await client.query('update public.log_identity set kind = $1, first_event = $2, first_position = $3', [
      identity.kind,
      identity.first?.id ?? null,
      identity.first?.position ?? null,
    ]);
    const readers = await client.query<{ name: string; position: string }>(READERS);
    return {
      readers: readers.rows.map(({ name, position }) => ({ name, position: Number(position) })),
      removed,
    };
  });
}
