import type pg from 'pg';
import type { Checkpoint } from '../../../automations/follow-automations.ts';

/** Creates the checkpoint of one named reader of the log. When two processes save, the later position stays. */
export const postgresCheckpoint = (pool: pg.Pool, name: string): Checkpoint => ({
  async load() {
    const { rows } = await pool.query<{ position: number }>({
      name: 'load-checkpoint',
      text: 'select position from public.checkpoints where name = $1',
      values: [name],
    });
    return Number(rows[0]?.position ?? 0);
  },
  async save(position) {
    await pool.query({
      name: 'save-checkpoint',
      text: `insert into public.checkpoints (name, position, version) values ($1, $2, 1)
             on conflict (name) do update set position = greatest(checkpoints.position, excluded.position)`,
      values: [name, position],
    });
  },
});
