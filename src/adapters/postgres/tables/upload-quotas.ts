import type pg from 'pg';
import type { UploadQuotas } from '../../../files/upload-quotas.ts';

/** Number of files in one call; the next call continues. */
const SLICE = 1_000;

/** Creates the sums in PostgreSQL, where concurrent requests take turns: see the migration. */
export function createUploadQuotas(
  pool: Pick<pg.Pool, 'query'>,
  { bytesPerUserDay, bytesPerGroup }: { bytesPerUserDay: number; bytesPerGroup: number },
): UploadQuotas {
  return {
    async reserve({ fileId, userId, groupId, size }) {
      const { rows } = await pool.query<{ outcome: 'reserved' | 'user' | 'group' }>({
        name: 'reserve-upload',
        // A crash may lose the last reservations, but others that wait for the same sum wait less.
        text: `select set_config('synchronous_commit', 'off', true), reserve_upload($1, $2, $3, $4, $5, $6) as outcome`,
        values: [fileId, userId, groupId, size, bytesPerUserDay, bytesPerGroup],
      });
      return rows[0]!.outcome;
    },
    async confirm(fileId) {
      await pool.query({
        name: 'confirm-upload',
        text: 'update upload_reservations set is_confirmed = true where file_id = $1',
        values: [fileId],
      });
    },
    async release(fileId) {
      await pool.query({ name: 'release-upload', text: 'select release_upload($1)', values: [fileId] });
    },
    async releaseUnconfirmed(before) {
      await pool.query({
        name: 'release-unconfirmed-uploads',
        text: `select release_upload(file_id) from (
                 select file_id from upload_reservations
                 where not is_confirmed and reserved_at < $1 order by reserved_at limit $2) u`,
        values: [before, SLICE],
      });
    },
  };
}
