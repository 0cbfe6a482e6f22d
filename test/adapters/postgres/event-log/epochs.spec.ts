import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { beginEpoch, epochsOf } from '../../../../src/adapters/postgres/event-log/epochs.ts';
import { migrate } from '../../../../src/adapters/postgres/migrate.ts';
import { administer, createTestDatabase, databaseUrl } from '../../../support/stages/database.ts';

const FOLDER = new URL('../../../../src/adapters/postgres/migrations/', import.meta.url);
const FIRST = '0033';

describe('the epochs of a log', () => {
  test('begin with one, and the newest is the present one', async () => {
    const database = await createTestDatabase();
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const [first, ...none] = await epochsOf(owner);
    expect(first.epoch).toMatch(/^[0-9a-f]{8}$/);
    expect(none).toEqual([]);
    const begun = [await beginEpoch(owner, 7), await beginEpoch(owner, 3)];
    expect(await epochsOf(owner)).toEqual([...begun.toReversed(), first]);
    const beganAt = [first, ...begun].map((each) => each.beganAt);
    expect(beganAt.toSorted((a, b) => a - b)).toEqual(beganAt);
    await owner.end();
    await database.drop();
  });

  test('are read by the application, and begun by the owner alone', async () => {
    const database = await createTestDatabase();
    const application = new pg.Client({ connectionString: database.url });
    await application.connect();
    await expect(epochsOf(application)).resolves.toHaveLength(1);
    await expect(beginEpoch(application, 1)).rejects.toMatchObject({ code: '42501' });
    await application.end();
    await database.drop();
  });

  test('begin with the database where it is older than they are, in a backup of it as well', async () => {
    const name = `epochs_${process.pid}_${Date.now()}`;
    const before = await mkdtemp(join(tmpdir(), 'migrations-'));
    const names = [name, `${name}_restored`];
    try {
      for (const file of await readdir(FOLDER))
        if (file < FIRST) await cp(new URL(file, FOLDER), join(before, file));
      await administer(`create database ${name}`);
      await migrate(databaseUrl(name), pathToFileURL(`${before}/`));
      await administer(`create database ${names[1]} template ${name}`);
      const epochs = [];
      for (const each of names) {
        await migrate(databaseUrl(each));
        const client = new pg.Client({ connectionString: databaseUrl(each) });
        await client.connect();
        epochs.push((await epochsOf(client))[0]);
        await client.end();
      }
      expect(epochs[0]!.beganAt).toBe(epochs[1]!.beganAt);
      expect(epochs[0]!.epoch).not.toBe(epochs[1]!.epoch);
    } finally {
      for (const each of names) await administer(`drop database if exists ${each} with (force)`);
      await rm(before, { recursive: true });
    }
  });
});
