import type pg from 'pg';

/** Runs the work in a transaction of the connection; whatever it throws undoes it. */
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
 * Runs the work in a transaction on a connection of the pool; whatever it throws undoes it. The only way to check out a
 * connection for more than one statement. A connection on which the transaction failed is closed: it may still be open there.
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
