import type { Pool } from 'pg';
import type { Claim, IdempotencyKeys, KeyedRequest } from '../../../http/hooks/idempotency-keys.ts';

/** Claims a key that is new, older than 24 h, or was left by a request that died more than 30 s ago. */
const CLAIM = `
  insert into idempotency_keys as held (scope, key, fingerprint) values ($1, $2, $3)
  on conflict (scope, key) do update
    set fingerprint = excluded.fingerprint, claimed_at = now(), status = null, body = null
    where held.claimed_at < now() - interval '24 hours'
      or (held.status is null and held.fingerprint = excluded.fingerprint
          and held.claimed_at < now() - interval '30 seconds')
  returning key`;

const FIND = 'select fingerprint, status, body from idempotency_keys where scope = $1 and key = $2';

const KEEP = `
  update idempotency_keys set status = $4, body = $5
  where scope = $1 and key = $2 and fingerprint = $3 and status is null`;

const RELEASE = `
  delete from idempotency_keys where scope = $1 and key = $2 and fingerprint = $3 and status is null`;

const FORGET_INTERRUPTED = `delete from idempotency_keys where status is null`;

interface Row {
  fingerprint: string;
  status: number | null;
  body: string | null;
}

/** Creates idempotency keys in PostgreSQL, shared by all nodes. */
export function postgresIdempotencyKeys(pool: Pick<Pool, 'query'>): IdempotencyKeys & {
  /** Frees the keys without an answer. For the start of the only node: the requests that held them have died. */
  forgetInterrupted(): Promise<void>;
} {
  const columns = ({ scope, key, fingerprint }: KeyedRequest) => [scope, key, fingerprint];

  async function claim(request: KeyedRequest): Promise<Claim> {
    const claimed = await pool.query(CLAIM, columns(request));
    if (claimed.rowCount === 1) return { outcome: 'claimed' };
    const { rows } = await pool.query<Row>(FIND, [request.scope, request.key]);
    const [held] = rows;
    if (held && held.fingerprint !== request.fingerprint) return { outcome: 'reused' };
    // No row: the first request released the key in between, so a repetition after a moment gets it.
    if (held?.status == null || held.body === null) return { outcome: 'running' };
    return { outcome: 'answered', status: held.status, body: held.body };
  }

  return {
    claim,
    keep: async (request, { status, body }) => {
      await pool.query(KEEP, [...columns(request), status, body]);
    },
    release: async (request) => {
      await pool.query(RELEASE, columns(request));
    },
    forgetInterrupted: async () => {
      await pool.query(FORGET_INTERRUPTED);
    },
  };
}
