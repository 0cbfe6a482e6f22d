import type pg from 'pg';
import type { ClientStore, ListedClient, ServiceClient } from '../../../auth/clients/service-client.ts';

const COLUMNS = `c.client_id as "clientId", c.name, c.scopes, s.session_id as "sessionId"`;
/** A client that is not disabled has an open session. */
const ENABLED = `clients c join client_sessions s on s.client_id = c.client_id and s.revoked_at is null`;

/** Every row of a client, also of those that are disabled. */
const LIST = `
  select c.client_id as "clientId", c.name, c.scopes, c.created_at as "createdAt",
    c.disabled_at is not null as "isDisabled", c.public_keys as "publicKeys",
    coalesce(
      (select jsonb_agg(jsonb_build_object('createdAt', k.created_at, 'lastUsedAt', k.last_used_at)
         order by k.created_at)
       from client_secrets k where k.client_id = c.client_id), '[]') as secrets
  from clients c order by c.created_at, c.client_id`;

type Instant = string | null;
type ListedRow = Omit<ListedClient, 'secrets'> & { secrets: { createdAt: string; lastUsedAt: Instant }[] };

/** Creates the store of clients in PostgreSQL. Each change is one statement, whatever other nodes do. */
export function createClientStore(pool: pg.Pool): ClientStore {
  const first = async <T extends pg.QueryResultRow>(
    text: string,
    values: unknown[],
  ): Promise<T | undefined> => (await pool.query<T>(text, values)).rows[0];
  const changes = async (text: string, values: unknown[]): Promise<boolean> =>
    (await pool.query(text, values)).rowCount === 1;
  const asks = async (text: string, values: unknown[]): Promise<boolean> =>
    (await first<{ answer: boolean }>(text, values))!.answer;

  return {
    ofSecret: (clientId, secretHash) =>
      first<ServiceClient>(
        `with used as (
           update client_secrets set last_used_at = now()
           where client_id = $1 and secret_hash = $2
             and (last_used_at is null or last_used_at < now() - interval '1 minute'))
         select ${COLUMNS} from ${ENABLED} join client_secrets k on k.client_id = c.client_id
         where c.client_id = $1 and k.secret_hash = $2`,
        [clientId, secretHash],
      ),
    async ofKeys(clientId) {
      const row = await first<ServiceClient & Pick<ListedClient, 'publicKeys'>>(
        `select ${COLUMNS}, c.public_keys as "publicKeys" from ${ENABLED} where c.client_id = $1`,
        [clientId],
      );
      if (!row) return undefined;
      const { publicKeys, ...client } = row;
      return { client, publicKeys };
    },
    find: (clientId) =>
      first<ServiceClient>(`select ${COLUMNS} from ${ENABLED} where c.client_id = $1`, [clientId]),
    spendAssertion: (clientId, jtiHash, expiresAt) =>
      changes('insert into client_assertions values ($1, $2, $3) on conflict do nothing', [
        clientId,
        jtiHash,
        expiresAt,
      ]),

    async add({ clientId, sessionId, name, scopes, secretHash, publicKeys }) {
      await pool.query(
        `with added as (
           insert into clients (client_id, name, scopes, public_keys) values ($1, $3, $4, $5) returning client_id),
         opened as (insert into client_sessions (session_id, client_id) select $2, client_id from added)
         insert into client_secrets (secret_hash, client_id)
         select $6::bytea, client_id from added where $6::bytea is not null`,
        [clientId, sessionId, name, scopes, JSON.stringify(publicKeys), secretHash ?? null],
      );
    },
    async list() {
      const { rows } = await pool.query<ListedRow>(LIST);
      return rows.map(({ secrets, ...client }) => ({
        ...client,
        secrets: secrets.map(({ createdAt, lastUsedAt }) => ({
          createdAt: new Date(createdAt),
          lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt),
        })),
      }));
    },
    addSecret: (clientId, secretHash) =>
      asks('select add_client_secret($1, $2) as answer', [clientId, secretHash]),
    endOlderSecret: (clientId) =>
      changes(
        `delete from client_secrets where secret_hash = (
           select secret_hash from client_secrets where client_id = $1 order by created_at limit 1)
           and (select count(*) from client_secrets where client_id = $1) > 1`,
        [clientId],
      ),
    disable: (clientId) => asks('select disable_client($1) as answer', [clientId]),
    enable: (clientId, sessionId) =>
      changes(
        `with enabled as (
           update clients set disabled_at = null where client_id = $1 and disabled_at is not null returning client_id)
         insert into client_sessions (session_id, client_id) select $2, client_id from enabled`,
        [clientId, sessionId],
      ),
    setKeys: (clientId, publicKeys) =>
      changes('update clients set public_keys = $2 where client_id = $1', [
        clientId,
        JSON.stringify(publicKeys),
      ]),
  };
}
