import type pg from 'pg';
import { EventStoreUnavailable, type EventStore, type Position } from '../../../events/event-store.ts';
import { sleep } from '../../../kit/back-off.ts';
import type { Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import { inTransaction } from '../transactions.ts';
import { untilAborted } from '../client.ts';
import { loadReadModel } from './load-read-model.ts';
import { ProjectingConnection } from './projections.ts';
import { completeNext, dropVersion, nextOf, previousOf, tablesOf } from './read-model-schemas.ts';
import { connectOwner, prepareNext } from './rebuild-projection.ts';
import { switchToNext } from './switch-read-model.ts';

/** Number of blocks that are copied at a time, 16 MB. */
const BLOCKS = 2_048;

/** The read models that have personal text. */
const WITH_TEXT: ReadonlySet<string> = new Set(['accounts', 'applications', 'conversations', 'files']);

/**
 * Writes the read models that have personal text anew, each beside the live one, which it then replaces: no deleted row
 * is left in a file. The version before the last rebuild goes too. Readers and the live ones do not wait. Throws
 * `EventStoreUnavailable` when other code made one of them, and once the signal aborts.
 */
export async function scrubReadModels(options: {
  store: EventStore;
  databaseUrl: string;
  signal: AbortSignal;
}): Promise<void> {
  for (const projection of readModels.filter(({ name }) => WITH_TEXT.has(name)))
    await scrub(projection, options);
}

async function scrub(
  projection: Projection,
  { store, databaseUrl, signal }: { store: EventStore; databaseUrl: string; signal: AbortSignal },
): Promise<void> {
  const { name } = projection;
  const owner = await connectOwner(databaseUrl, name);
  await untilAborted(owner, signal, async () => {
    await prepareNext(owner, nextOf(name), projection);
    const after = await copyLive(owner, projection, signal);
    await completeNext(owner, projection);
    const writer = await ProjectingConnection.open({
      ...{ url: databaseUrl, schema: nextOf(name), statementTimeoutMs: 0 },
    });
    try {
      const load = { store, projection, writer, checkpoint: nextOf(name) };
      const { position } = await loadReadModel({ ...load, after });
      await switchToNext(owner, { ...load, after: position });
    } finally {
      await writer.close();
    }
    await dropVersion(owner, previousOf(name));
  });
}

/** Copies the rows of the live version, as of one moment. Resolves with its position. */
const copyLive = (owner: pg.Client, { name, version }: Projection, signal: AbortSignal): Promise<Position> =>
  inTransaction(owner, async () => {
    await owner.query('set transaction isolation level repeatable read');
    const { rows } = await owner.query<{ position: Position; version: number }>(
      'select position, version from public.checkpoints where name = $1',
      [name],
    );
    const live = rows[0];
    if (live?.version !== version)
      throw new EventStoreUnavailable(`other code made the read model ${name} (version ${live?.version})`);
    const next = nextOf(name);
    for (const table of await tablesOf(owner, name))
      await copyTable(owner, { from: `${name}.${table}`, to: `${next}.${table}` }, signal);
    await owner.query('update public.checkpoints set position = $2 where name = $1', [next, live.position]);
    return live.position;
  });

/** Copies a table part by part, and rests for as long as each takes: appends wait for the same disk. */
async function copyTable(
  owner: pg.Client,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await owner.query<{ blocks: number }>(
    `select pg_relation_size($1::regclass) / current_setting('block_size')::int as blocks`,
    [from],
  );
  for (let block = 0; block < rows[0]!.blocks; block += BLOCKS) {
    const began = performance.now();
    await owner.query(
      `insert into ${to} select * from ${from} where ctid >= '(${block},0)' and ctid < '(${block + BLOCKS},0)'`,
    );
    await sleep(performance.now() - began, signal);
  }
}
