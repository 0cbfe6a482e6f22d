import { dirname, join } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import { splitCheckpoints } from '../../src/audit/kept-checkpoints.ts';
import { createLog } from '../../src/compose/log.ts';
import { openCheckpoints, openLeaves } from '../../src/compose/sealing.ts';
import type { Config } from '../../src/config.ts';
import type { EventStore } from '../../src/events/event-store.ts';
import type { GroupId, UserId } from '../../src/events/ids.ts';
import { conversationStream } from '../../src/events/streams.ts';
import type { Closers } from '../../src/kit/closers.ts';
import { setCheckpointsAside } from '../../src/adapters/disk/checkpoints.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { epochsOf } from '../../src/adapters/postgres/event-log/epochs.ts';
import { identify, requireSameLog } from '../../src/adapters/postgres/event-log/identity.ts';
import { type Begun, type ReadMarker, beginAfterRestore } from '../../src/operations/begin-after-restore.ts';
import { count } from '../program.ts';

const PAGE = 1_000;

interface RestoredLog {
  config: Config;
  /** The owner's. */
  databaseUrl: string;
  keepsNotifications: boolean;
  say: (line: string) => void;
  log: Logger;
  opened: Closers;
}

/**
 * Begins a new epoch on a database that was restored from a backup, or whose EventStoreDB was. `client` is the owner's,
 * and no server runs. Resolves with what it did. Throws `OtherLog`.
 */
export async function afterRestore(client: pg.Client, settings: RestoredLog): Promise<Begun> {
  const { config, databaseUrl, keepsNotifications, say, log, opened } = settings;
  const pool = createPool({ url: databaseUrl, max: 2, applicationName: 'log', log });
  opened.add('pool', () => pool.end());
  const { kind, store } = await createLog(config, log, { databaseUrl, pool });
  opened.add('event store', () => store.close());
  await requireSameLog(client, await identify(kind, store));
  const head = await store.head();
  const [before] = await epochsOf(client);

  const { kept, beyond } = await splitSeals(config, pool, store);
  const markers = kind === 'eventstoredb' ? await markersBeyond(client, store) : [];
  const place = config.seal.url;
  const sealed = kept.length + beyond.length > 0 ? { place, last: kept.at(-1) } : undefined;
  const { file } = config.seal;
  const aside = file && join(dirname(file), `checkpoints.${before.epoch}.ndjson`);
  // First, so that a failure leaves everything as it was.
  if (beyond.length > 0 && aside) await setCheckpointsAside(file, aside, { kept, beyond });
  const begun = await beginAfterRestore(client, { head, keepsNotifications, markers, sealed });

  say(`epoch ${begun.epoch} begins at position ${head}; epoch ${before.epoch} has ended`);
  for (const { name, from } of begun.moved) say(`${name} continues at ${head}; it was at ${from}`);
  if (begun.removed.length > 0) say(`to be made anew: ${begun.removed.join(', ')}`);
  if (markers.length > 0) say(`read markers taken back: ${count(markers.length)}`);
  say(
    keepsNotifications
      ? 'what waits to be sent is kept'
      : `settled without being sent: ${count(begun.notifications)} notifications, ${count(begun.letters)} account letters`,
  );
  if (begun.keys > 0) say(`idempotency keys forgotten: ${count(begun.keys)}`);
  if (beyond.length > 0)
    say(
      aside
        ? `${count(beyond.length)} checkpoints seal what the log has lost: they are in ${aside} now, as evidence`
        : `${count(beyond.length)} checkpoints at ${place} seal what the log has lost: they stay there as evidence. Set SEAL_URL to a new place`,
    );
  const { rowCount } = await client.query('select from seals where place = $1 and checkpoint is not null', [
    place,
  ]);
  if (!sealed && rowCount === 1)
    say(`${place} has no checkpoints here: where the sealer runs on another machine, run this there as well`);
  say('start the servers now');
  return begun;
}

async function splitSeals(config: Config, pool: pg.Pool, store: Pick<EventStore, 'readStored'>) {
  const checkpoints = openCheckpoints(config);
  try {
    return await splitCheckpoints(checkpoints.all(), openLeaves(config, { pool, store }));
  } finally {
    checkpoints.close();
  }
}

/** Resolves with the read markers that are beyond the end of their conversations, as they are to be. */
async function markersBeyond(
  client: pg.Client,
  store: Pick<EventStore, 'readStream'>,
): Promise<ReadMarker[]> {
  const { rows } = await client.query<{ groupId: GroupId; seq: string }>(
    'select group_id as "groupId", max(seq) as seq from read_markers where seq > 0 group by group_id',
  );
  const taken: ReadMarker[] = [];
  for (const { groupId, seq } of rows) {
    const stream = conversationStream(groupId);
    const [last] = await store.readStream(stream, { from: Number(seq) - 1, limit: 1 });
    if (last) continue;
    const { total, own, headSeq } = await countMessages(store, groupId);
    const users = await client.query<{ userId: UserId }>(
      'select user_id as "userId" from read_markers where group_id = $1 and seq > $2',
      [groupId, headSeq],
    );
    for (const { userId } of users.rows)
      taken.push({ groupId, userId, seq: headSeq, total, own: own.get(userId) ?? 0 });
  }
  return taken;
}

async function countMessages(store: Pick<EventStore, 'readStream'>, groupId: GroupId) {
  const own = new Map<UserId, number>();
  let [total, headSeq] = [0, 0];
  for (;;) {
    const page = await store.readStream(conversationStream(groupId), { from: headSeq, limit: PAGE });
    for (const { type, data, revision } of page) {
      headSeq = revision + 1;
      if (type !== 'MessageSent') continue;
      total += 1;
      own.set(data.senderId, (own.get(data.senderId) ?? 0) + 1);
    }
    if (page.length < PAGE) return { total, own, headSeq };
  }
}
