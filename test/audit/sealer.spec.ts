import { readFile, writeFile } from 'node:fs/promises';
import { createCheckpointFile } from '../../src/adapters/disk/checkpoints.ts';
import { openSealRecords } from '../../src/adapters/postgres/tables/seals.ts';
import { hashOf } from '../../src/audit/checkpoint.ts';
import { leafOf } from '../../src/audit/leaf.ts';
import { Tree } from '../../src/audit/merkle.ts';
import { until } from '../../tools/until.ts';
import { DISARM, type SealStage, newSealKey, sealStage } from '../support/stages/seal-stage.ts';

let stage: SealStage;
beforeEach(async () => (stage = await sealStage()));
afterEach(() => stage.close());

const lines = async () => (await readFile(stage.file, 'utf8')).split('\n').slice(0, -1);

/** The root of the log as it is now, made of every event. */
async function rootOfLog(): Promise<string> {
  const tree = new Tree();
  for (const event of await stage.store.readStored({ after: 0, limit: 100_000 })) tree.append(leafOf(event));
  return tree.root().toString('base64url');
}

test('signs a checkpoint of all events, and none when nothing has changed', async () => {
  expect(await stage.seal()).toBeUndefined();
  await stage.append(5);
  const first = await stage.seal();
  expect(first).toMatchObject({ size: 5, position: '5', previous: null, root: await rootOfLog() });
  expect(await stage.seal()).toEqual(first);
  await stage.append(2);
  const second = await stage.seal();
  expect(second).toMatchObject({ size: 7, previous: hashOf(first!), root: await rootOfLog() });
  expect(await lines()).toHaveLength(2);
  expect(await stage.verify()).toMatchObject({ checkpoints: 2, events: 7, unsealed: 0 });
});

test('goes on from tiles, across their borders, with the root of the whole log', async () => {
  for (const count of [255, 1, 1, 254, 1, 300]) {
    await stage.append(count);
    const sealed = await stage.seal();
    expect(sealed).toMatchObject({ root: await rootOfLog() });
  }
  expect(await stage.verify()).toMatchObject({ checkpoints: 6, events: 812 });
});

test('keeps sealing what is appended meanwhile, and seals at once when there are many events', async () => {
  const sizes: number[] = [];
  const sealer = stage.start({ sealMs: 3_600_000, sealEvents: 50, onSealed: (size) => sizes.push(size) });
  await stage.append(10);
  await until(() => sizes.at(-1) === 10, 'the first events to be sealed');
  await stage.append(60);
  await until(() => sizes.at(-1) === 70, 'many events to be sealed');
  expect(sealer.failure()).toBeUndefined();
  await sealer.stop();
  expect(await stage.verify()).toMatchObject({ checkpoints: sizes.length - 1 });
});

test('brings a checkpoint to its place that a crash kept from it', async () => {
  await stage.append(3);
  await stage.seal();
  await stage.append(3);
  const append = () => Promise.reject(new Error('a crash'));
  await expect(stage.seal({ checkpoints: { ...stage.checkpoints, append } })).rejects.toThrow('a crash');
  expect(await lines()).toHaveLength(1);
  expect(await stage.verify()).toMatchObject({ checkpoints: 2, unsealed: 0 });
  await stage.seal();
  expect(await lines()).toHaveLength(2);
});

test('two sealers at the same time sign one chain', async () => {
  const sealers = [stage.start(), stage.start()];
  for (let n = 0; n < 20; n += 1) await stage.append(7);
  await until(async () => (await stage.checkpoints.last())?.size === 140, 'all events to be sealed');
  for (const sealer of sealers) {
    expect(sealer.failure()).toBeUndefined();
    await sealer.stop();
  }
  expect(await stage.verify()).toMatchObject({ events: 140, unsealed: 0 });
});

test('makes lost tiles anew from the log, and goes on', async () => {
  await stage.append(600);
  await stage.seal();
  await stage.owner.query('delete from seal_tiles where level = 1 and index = 1');
  await stage.append(1);
  expect(await stage.seal()).toMatchObject({ root: await rootOfLog() });
  expect(await stage.proofs.inclusion({ position: 300 })).toMatchObject({ index: 299, size: 601 });
});

test('goes on with checkpoints that the database does not know, after reading the whole log', async () => {
  await stage.append(300);
  await stage.seal();
  const records = await openSealRecords(stage.pool, 'moved');
  await stage.append(1);
  expect(await stage.seal({ records })).toMatchObject({ size: 301, root: await rootOfLog() });
});

test('follows the log with another key when the key was exchanged', async () => {
  await stage.append(3);
  await stage.seal();
  await stage.append(3);
  const key = newSealKey();
  await stage.seal({ key });
  await expect(stage.verify()).rejects.toMatchObject({ position: 3, message: /is not trusted/ });
});

describe('a log that is not what was sealed', () => {
  const change = (statement: string) => stage.owner.query(`${DISARM}; ${statement}`);
  const manipulations: [string, string, number][] = [
    ['changed', `update events set data = '{}' where position = 298`, 298],
    ['deleted', 'delete from events where position = 299', 300],
    ['cut off', 'delete from events where position > 297', 298],
    [
      'moved in time',
      `update events set occurred_at = occurred_at + interval '1 ms' where position = 300`,
      300,
    ],
  ];

  test.each(manipulations)(
    'stops for good at a sealed event that is %s',
    async (_what, statement, position) => {
      await stage.append(300);
      await stage.seal();
      await change(statement);
      await stage.append(4);
      let isBroken = false;
      const sealer = stage.start({ onBroken: () => (isBroken = true) });
      await until(() => sealer.failure() !== undefined, 'the sealer to stop');
      expect(sealer.failure()).toMatch(new RegExp(`from position ${position} at the latest`));
      expect(isBroken).toBe(true);
      await sealer.stop();
      expect(await lines()).toHaveLength(1);
      await expect(stage.seal()).rejects.toMatchObject({ name: 'SealBroken' });
    },
  );

  test('stops while it runs', async () => {
    await stage.append(10);
    const sealer = stage.start();
    await until(async () => (await stage.checkpoints.last())?.size === 10, 'the events to be sealed');
    await change(`update events set type = 'MessageEdited' where position = 9`);
    await stage.append(1);
    await until(() => sealer.failure() !== undefined, 'the sealer to stop');
    expect(sealer.failure()).toBe('a sealed event has changed, from position 9 at the latest');
    await sealer.stop();
    expect(await lines()).toHaveLength(1);
  });

  test('stops when checkpoints were removed, or replaced', async () => {
    for (let n = 0; n < 3; n += 1) {
      await stage.append(5);
      await stage.seal();
    }
    const all = await lines();
    for (const [kept, ends] of [
      [[], 0],
      [all.slice(0, 1), 5],
    ] as const) {
      await writeFile(stage.file, kept.map((line) => `${line}\n`).join(''));
      await expect(stage.seal()).rejects.toThrow(`the checkpoints end at ${ends} events, but 15 were sealed`);
    }
    await writeFile(stage.file, 'nonsense\n');
    await expect(stage.seal()).rejects.toMatchObject({
      name: 'SealBroken',
      message: /no checkpoint at byte 0/,
    });
  });

  test('refuses checkpoints of a stranger in an empty database', async () => {
    await stage.append(5);
    await stage.seal({ key: newSealKey() });
    const records = await openSealRecords(stage.pool, 'moved');
    await expect(stage.seal({ records })).rejects.toThrow('a key that is not trusted');
    expect(await createCheckpointFile(stage.file).last()).toMatchObject({ size: 5 });
  });
});
