import type pg from 'pg';

/** Runs the work in a transaction on the connection. An error rolls it back. */
export async function inTransaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/**
 * Runs the work in a transaction on a connection of the pool. An error rolls it back. This is the only way to
 * check out a connection for more than one statement. A connection whose transaction failed is closed,
 * because the transaction may still be open on it.
 */
export async function transaction<T>(
  pool: Pick<pg.Pool, 'connect'>,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let fault: Error | undefined;
  try {
    return await inTransaction(client, () => work(client));
  } catch (error) {
    fault = error as Error;
    throw error;
  } finally {
    client.release(fault);
  }
}
