import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Outbox } from '../src/notifications/outbox.ts';
import { previews } from '../src/notifications/templates/previews.ts';
import { createOutbox } from '../src/adapters/postgres/notifications/outbox.ts';
import { type Print, Misused, Refused, plain, program } from './program.ts';
import { withDatabase } from './with-database.ts';

const USAGE = `Usage: npm run notifications -- <command>

  list-parked           the batches that could not be sent, with the reason of each
  replay <id>... | --all
                        puts parked batches back, to be sent as soon as a server runs
  preview [<folder>]    writes an example of each mail and push message to files, by default in a new folder

  --json                prints the result as JSON

list-parked and replay work on DATABASE_URL, or on the database in DATA_DIR whether the server runs or not.
`;

const withOutbox = (use: (outbox: Outbox) => Promise<void>): Promise<void> =>
  withDatabase({ name: 'notifications' }, ({ pool }) => use(createOutbox({ pool })));

async function listParked(outbox: Outbox, print: Print): Promise<void> {
  const parked = await outbox.parked();
  print(
    { parked },
    parked.map(({ batchId, parkedAt, channel, recipientId, notifications, reason }) => {
      const shown = plain(reason);
      return `${batchId}  ${parkedAt}  ${channel.padEnd(5)}  ${recipientId}  ${notifications}  ${shown}`;
    }),
  );
}

async function replay(outbox: Outbox, batchIds: string[] | undefined, print: Print): Promise<void> {
  const replayed = await outbox.replay(batchIds);
  const of = batchIds ? ` of ${batchIds.length}` : '';
  print({ replayed }, `put back ${replayed}${of} batches`);
  if (batchIds && replayed < batchIds.length) throw new Refused('the others are not parked');
}

async function writePreviews(given: string | undefined, print: Print): Promise<void> {
  const folder =
    given === undefined ? await mkdtemp(join(tmpdir(), 'notification-previews-')) : resolve(given);
  await mkdir(folder, { recursive: true });
  for (const { name, content } of previews()) await writeFile(join(folder, name), content);
  print({ folder }, folder);
}

/** Returns the distinct ids of the arguments. */
function batchIdsOf(values: string[]): string[] {
  const wrong = values.find((value) => !z.uuid().safeParse(value).success);
  if (wrong !== undefined) throw new Misused(`${wrong}: is not the id of a batch`);
  return [...new Set(values.map((value) => value.toLowerCase()))];
}

await program(USAGE, { all: { type: 'boolean' } }, async ({ values, positionals, print }) => {
  const [command, ...rest] = positionals;
  const isAll = values.all ?? false;
  if (command === 'list-parked' && rest.length === 0 && !isAll)
    return withOutbox((outbox) => listParked(outbox, print));
  if (command === 'replay' && isAll !== rest.length > 0) {
    const batchIds = isAll ? undefined : batchIdsOf(rest);
    return withOutbox((outbox) => replay(outbox, batchIds, print));
  }
  if (command === 'preview' && rest.length <= 1 && !isAll) return writePreviews(rest[0], print);
  throw new Misused();
});
