import type pg from 'pg';
import type { Position } from '../events/event-store.ts';
import type { LogIdentity } from '../adapters/postgres/event-log/identity.ts';
import { beginEpoch } from '../adapters/postgres/event-log/epochs.ts';
import { inTransaction } from '../adapters/postgres/transactions.ts';

/** A reader advanced after its position was read; nothing was changed. */
export class ReadersMoved extends Error {
  override readonly name = 'ReadersMoved';
}

/**
 * A read model has a schema of its name. A checkpoint without a schema is another reader's, and cannot be
 * rebuilt.
 */
const READ_MODELS = `
  select name from public.checkpoints join pg_namespace on nspname = name order by name`;
const READERS = `
  select name, position from public.checkpoints where name not in (select nspname from pg_namespace) order by name`;

/**
 * Resolves with the application names of the other client connections to the database. A running server is
 * always among them. The kind of another user's connection may be hidden; the server's own work has no user.
 */
export async function usersOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct coalesce(nullif(application_name, ''), 'unnamed') as name from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and coalesce(backend_type = 'client backend', usesysid is not null)
     order by name`,
  );
  return rows.map(({ name }) => name);
}

/** Resolves with the positions in a log that the database stores, apart from those of its read models. */
export async function positionsIn(client: pg.Client): Promise<Position[]> {
  const { rows } = await client.query<{ position: string }>(
    `select position from (${READERS}) readers union select position from notifications`,
  );
  return rows.map(({ position }) => Number(position));
}

export interface MovedReaders {
  readers: { name: string; position: Position }[];
  /** Names of the removed read models. They are rebuilt when a server starts. */
  removed: string[];
}

/**
 * Makes a database follow another log, in one transaction: its readers continue from the mapped `positions`,
 * its read models are removed, and a new epoch begins at the `head`. Needs the owner's connection. Throws `ReadersMoved` when a server uses the
 * database after all.
 */
export function moveReaders(
  client: pg.Client,
  {
    positions,
    identity,
    head,
  }: { positions: ReadonlyMap<Position, Position>; identity: LogIdentity; head: Position },
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
    // Positions that clients have are those of the other log.
    await beginEpoch(client, head);
    const readers = await client.query<{ name: string; position: string }>(READERS);
    return {
      readers: readers.rows.map(({ name, position }) => ({ name, position: Number(position) })),
      removed,
    };
  });
}
