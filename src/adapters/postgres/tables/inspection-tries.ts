import type pg from 'pg';
import type { InspectionTries } from '../../../files/inspection-tries.ts';

/** Creates the tries in PostgreSQL, so that counting continues after a crash of this process. */
export const createInspectionTries = (pool: Pick<pg.Pool, 'query'>): InspectionTries => ({
  async begin(fileId) {
    const { rows } = await pool.query<{ tries: number }>({
      name: 'begin-inspection',
      text: `insert into inspection_tries as t (file_id, tries) values ($1, 1)
             on conflict (file_id) do update set tries = t.tries + 1 returning tries`,
      values: [fileId],
    });
    return rows[0]!.tries;
  },
  async takeBack(fileId) {
    await pool.query({
      name: 'take-back-inspection',
      text: 'update inspection_tries set tries = tries - 1 where file_id = $1',
      values: [fileId],
    });
  },
  async forget(fileId) {
    await pool.query({
      name: 'forget-inspections',
      text: 'delete from inspection_tries where file_id = $1',
      values: [fileId],
    });
  },
});
