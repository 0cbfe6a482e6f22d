import type pg from 'pg';
import { NONCES_KEPT_SECONDS, type Nonces } from '../files/scan-report.ts';

/** Nonces in PostgreSQL: what was spent on one node is spent on all. */
export const createNonces = (pool: Pick<pg.Pool, 'query'>): Nonces => ({
  async spend(nonce) {
    const { rowCount } = await pool.query({
      name: 'spend-nonce',
      text: `with expired as (delete from scan_report_nonces where spent_at < now() - make_interval(secs => $2))
             insert into scan_report_nonces (nonce) values ($1) on conflict do nothing`,
      values: [nonce, NONCES_KEPT_SECONDS],
    });
    return rowCount === 1;
  },
});
