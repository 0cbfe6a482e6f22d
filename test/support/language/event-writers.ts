/**
 * A process of writers, started by log-readers.spec.ts: `node event-writers.ts <url> <log|sequence> <writers> <appends>`.
 * Every tenth transaction stays open for 20 ms before it commits.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

const [url, kind, writers, appends] = process.argv.slice(2);

/** Calls append_events() like the store, with one event that is independent of other writers. */
const toLog = (client: pg.Client) =>
  client.query(
    `select * from append_events(
       array[$1], '{null}', '{1}', '{0}', '{0}', '{}', '{}', '{}', '{1}', '{0}', array[$1], array[$2::uuid], '{MessageSent}', '{1}',
       array['{}'::json], array['{}'::json], array[now()])`,
    [`conversation-${randomUUID()}`, randomUUID()],
  );
const toSequence = (client: pg.Client) => client.query('insert into naive default values');

async function write(): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (let n = 0; n < Number(appends); n += 1) {
    await client.query('begin');
    await (kind === 'log' ? toLog : toSequence)(client);
    if (n % 10 === 0) await pause(20);
    await client.query('commit');
  }
  await client.end();
}

await Promise.all(Array.from({ length: Number(writers) }, write));
