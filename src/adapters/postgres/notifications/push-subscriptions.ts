import type pg from 'pg';
import {
  MAX_SUBSCRIPTIONS,
  type PushSubscriptions,
} from '../../../notifications/deliver/push-subscriptions.ts';

const ADD = `
  with held as materialized (select from push_subscriptions where endpoint = $1 and user_id = $2)
  insert into push_subscriptions (endpoint, user_id, p256dh, auth) values ($1, $2, $3, $4)
  on conflict (endpoint) do update
    set user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,
      subscribed_at = excluded.subscribed_at
  returning not exists (select from held) as "isNew"`;

const DROP_OLDEST = `
  delete from push_subscriptions where endpoint in (
    select endpoint from push_subscriptions where user_id = $1 order by subscribed_at desc, endpoint offset $2)`;

interface Row {
  endpoint: string;
  p256dh: string;
  auth: string;
}

/** Push subscriptions in PostgreSQL. */
export function createPushSubscriptions(pool: Pick<pg.Pool, 'query'>): PushSubscriptions {
  return {
    async add(userId, { endpoint, keys: { p256dh, auth } }) {
      const { rows } = await pool.query<{ isNew: boolean }>(ADD, [endpoint, userId, p256dh, auth]);
      const { isNew } = rows[0]!;
      if (isNew) await pool.query(DROP_OLDEST, [userId, MAX_SUBSCRIPTIONS]);
      return isNew;
    },
    async remove(userId, endpoint) {
      const { rowCount } = await pool.query(
        'delete from push_subscriptions where user_id = $1 and endpoint = $2',
        [userId, endpoint],
      );
      return rowCount === 1;
    },
    async drop(endpoint) {
      await pool.query('delete from push_subscriptions where endpoint = $1', [endpoint]);
    },
    async ofUser(userId) {
      const { rows } = await pool.query<Row>(
        `select endpoint, p256dh, auth from push_subscriptions
         where user_id = $1
           and not exists (select from credentials c where c.user_id = $1 and c.suspended_at is not null)
         order by subscribed_at, endpoint`,
        [userId],
      );
      return rows.map(({ endpoint, p256dh, auth }) => ({ endpoint, keys: { p256dh, auth } }));
    },
  };
}
