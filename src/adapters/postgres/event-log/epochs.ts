import type pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import type { Epoch, LogState } from '../../../events/sightings.ts';

type Database = Pick<pg.Pool | pg.ClientBase, 'query'>;

const COLUMNS = `epoch, (extract(epoch from began_at) * 1000)::float8 as "beganAt"`;

/** Resolves with the epochs of the log, the present one first. */
export async function epochsOf(db: Database): Promise<LogState['epochs']> {
  const { rows } = await db.query<Epoch>(`select ${COLUMNS} from public.log_epochs order by number desc`);
  const [present, ...earlier] = rows;
  return [present!, ...earlier];
}

/** Begins a new epoch at the head of the log. Resolves with it. Needs the owner's connection. */
export async function beginEpoch(db: Database, head: Position): Promise<Epoch> {
  const { rows } = await db.query<Epoch>(
    `insert into public.log_epochs (number, epoch, position)
     select max(number) + 1, substr(md5(gen_random_uuid()::text), 1, 8), $1 from public.log_epochs
     returning ${COLUMNS}`,
    [head],
  );
  return rows[0]!;
}
