import pg from 'pg';
import { type Credential, type Credentials, EmailTaken } from '../auth/credentials.ts';

const UNIQUE_VIOLATION = '23505';

const columns = `user_id as "userId", email, password_hash as "passwordHash", role, display_name as "displayName",
  registered`;

/** Credentials in PostgreSQL. */
export function createCredentials(pool: pg.Pool): Credentials {
  const select = async (rest: string, values: unknown[] = []): Promise<Credential[]> => {
    const { rows } = await pool.query<Credential>(`select ${columns} from credentials ${rest}`, values);
    return rows;
  };

  return {
    async add({ userId, email, passwordHash, role, displayName }) {
      try {
        await pool.query(
          `insert into credentials (user_id, email, password_hash, role, display_name) values ($1, $2, $3, $4, $5)`,
          [userId, email, passwordHash, role, displayName],
        );
      } catch (error) {
        const isTaken =
          error instanceof pg.DatabaseError &&
          error.code === UNIQUE_VIOLATION &&
          error.constraint === 'credentials_email_key';
        throw isTaken ? new EmailTaken() : error;
      }
    },
    ofEmail: async (email) => (await select('where email = $1', [email]))[0],
    ofUser: async (userId) => (await select('where user_id = $1', [userId]))[0],
    unregistered: () => select('where not registered order by created_at'),
    async markRegistered(userId) {
      await pool.query('update credentials set registered = true where user_id = $1', [userId]);
    },
    async changePasswordHash(userId, passwordHash) {
      await pool.query('update credentials set password_hash = $2 where user_id = $1', [
        userId,
        passwordHash,
      ]);
    },
    list: () => select('order by email'),
  };
}
