import type pg from 'pg';
import type { Nonces } from '../../../files/inspect/scan-report.ts';

/** Creates the nonces in PostgreSQL. A nonce spent on one node is spent on all. */
export const createNonces = (pool: Pick<pg.Pool, 'query'>): Nonces => ({
  async spend(nonce) {
    const { rowCount } = await pool.query({
      name: 'spend-nonce',
      text: 'insert into scan_report_nonces (nonce) values ($1) on conflict do nothing',
      values: [nonce],
    });
    return rowCount === 1;
  },
});
