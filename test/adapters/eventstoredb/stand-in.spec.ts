import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import {
  EventStoreDBClient,
  type ResolvedEvent,
  WrongExpectedVersionError,
  jsonEvent,
  streamNameFilter,
} from '@eventstore/db-client';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { until } from '../../../tools/until.ts';

const CREDENTIALS = { username: 'admin', password: 'changeit' };
const run = promisify(execFile);

let db: EventStoreDb;
let client: EventStoreDBClient;
beforeEach(async () => {
  db = await startEventStoreDb();
  client = EventStoreDBClient.connectionString(db.url);
});
afterEach(async () => {
  await client.dispose();
  await db.stop();
});

const event = (id: string = randomUUID()) =>
  jsonEvent({ id, type: 'Told', data: { id }, metadata: { n: 1 } });
const events = (count: number) => Array.from({ length: count }, () => event());
const revisionOf = ({ event: recorded }: ResolvedEvent) => Number(recorded?.revision);
const positionOf = ({ event: recorded }: ResolvedEvent) => Number(recorded?.position?.commit);
const ours = () => db.events().filter(({ stream }) => stream.startsWith('told-'));

async function all(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  return Array.fromAsync(reading);
}

/** Returns the error that the promise rejects with. */
async function refusal(promise: Promise<unknown>): Promise<Error & { type?: string }> {
  return promise.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: Error) => error,
  );
}

/** Whether the promise is still pending after a later call was answered. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const later = client.appendToStream('later-1', event()).then(() => all(client.readAll({ maxCount: 1 })));
  return Promise.race([promise.then(() => false), later.then(() => true)]);
}

/** A subscription to the streams of a category; records everything it reports. */
function follow({ prefix = 'told-', from, of = client }: Follow = {}) {
  const said: string[] = [];
  const got: number[] = [];
  const subscription = of.subscribeToAll({
    ...(from === undefined ? {} : { fromPosition: { commit: BigInt(from), prepare: BigInt(from) } }),
    filter: streamNameFilter({
      prefixes: [prefix],
      checkpointReached: async (_, { commit }) => void said.push(`checkpoint ${commit}`),
    }),
  });
  for (const name of ['confirmation', 'caughtUp', 'fellBehind', 'end'] as const)
    subscription.on(name, () => void said.push(name));
  subscription.on('error', (error: Error & { type?: string }) => void said.push(`error ${error.type}`));
  subscription.on('data', (resolved: ResolvedEvent) => void got.push(positionOf(resolved)));
  return { subscription, said, got };
}
interface Follow {
  prefix?: string;
  from?: number;
  of?: EventStoreDBClient;
}

describe('the log of the stand-in', () => {
  test('counts revisions from 0 and leaves gaps between positions', async () => {
    const before = new Date();
    const { nextExpectedRevision, position } = await client.appendToStream('told-1', events(3));
    const [first, second, third] = await all(client.readStream('told-1'));
    expect([first, second, third].map((found) => revisionOf(found!))).toEqual([0, 1, 2]);
    expect(nextExpectedRevision).toBe(2n);
    expect(position).toEqual(third?.event?.position);
    expect(third?.event?.position?.prepare).toBe(third?.event?.position?.commit);
    expect(positionOf(second!)).toBeGreaterThan(positionOf(first!) + 1);
    expect(first?.event?.created.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(first?.event).toMatchObject({ data: { id: first?.event?.id }, metadata: { n: 1 } });
  });

  test.each([
    ['BatchAppend', {}],
    ['Append', { credentials: CREDENTIALS }],
  ])('reports by %s at which revision a stream is instead', async (_, options) => {
    await client.appendToStream('told-1', events(2), { expectedRevision: 'no_stream', ...options });
    for (const [expectedRevision, stream, actualVersion] of [
      ['no_stream', 'told-1', 1n],
      [0n, 'told-1', 1n],
      [5n, 'told-1', 1n],
      ['stream_exists', 'told-2', 'no_stream'],
      [0n, 'told-2', 'no_stream'],
    ] as const) {
      const refused = await refusal(client.appendToStream(stream, event(), { expectedRevision, ...options }));
      expect(refused).toBeInstanceOf(WrongExpectedVersionError);
      expect(refused).toMatchObject({ actualVersion, expectedVersion: expectedRevision });
    }
  });

  test('recognizes an append at an exact revision, however long ago it was', async () => {
    const told = events(2);
    const first = await client.appendToStream('told-1', told, { expectedRevision: 'no_stream' });
    await client.appendToStream('told-1', event(), { expectedRevision: 1n });
    db.forgetRecentIds();
    expect(await client.appendToStream('told-1', told, { expectedRevision: 'no_stream' })).toEqual(first);
    const [known] = told;
    const changed = client.appendToStream('told-1', [known!, event()], { expectedRevision: 'no_stream' });
    expect(await refusal(changed)).toBeInstanceOf(WrongExpectedVersionError);
    expect(ours()).toHaveLength(3);
  });

  test('recognizes an append at any revision for a while, and only in its stream', async () => {
    const told = event();
    const first = await client.appendToStream('told-1', told);
    expect(await client.appendToStream('told-1', told)).toEqual(first);
    await client.appendToStream('told-2', told);
    expect(ours()).toHaveLength(2);
    db.forgetRecentIds();
    await client.appendToStream('told-1', told);
    expect(ours()).toHaveLength(3);
  });

  test('refuses an append that is too large, in one piece or in several', async () => {
    const large = { ...event(), data: { text: 'x'.repeat(2 ** 20) } };
    const refused = client.appendToStream('told-1', large);
    expect(await refusal(refused)).toMatchObject({ type: 'maximum-append-size-exceeded' });
    const many = [large, large, large, large];
    const inPieces = client.appendToStream('told-1', many, { batchAppendSize: 2 ** 20 });
    expect(await refusal(inPieces)).toMatchObject({ maxAppendSize: 2 ** 20 });
    expect(ours()).toEqual([]);
  });

  test('accepts an append that comes in several pieces', async () => {
    await client.appendToStream('told-1', events(20), { batchAppendSize: 200 });
    expect(await all(client.readStream('told-1'))).toHaveLength(20);
  });

  test('reads a stream from a revision, forwards or backwards, and all events from a position or before it', async () => {
    await client.appendToStream('told-1', events(5));
    const on = await all(client.readStream('told-1', { fromRevision: 2n, maxCount: 2 }));
    expect(on.map(revisionOf)).toEqual([2, 3]);
    const back = await all(
      client.readStream('told-1', { direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
    );
    expect(back.map(revisionOf)).toEqual([4]);
    const position = on[0]!.event!.position!;
    const allOn = await all(client.readAll({ fromPosition: position, maxCount: 2 }));
    expect(allOn.map(revisionOf)).toEqual([2, 3]);
    const allBack = await all(
      client.readAll({ direction: 'backwards', fromPosition: position, maxCount: 2 }),
    );
    expect(allBack.map(revisionOf)).toEqual([1, 0]);
    const bad = { commit: position.commit + 1n, prepare: position.prepare + 1n };
    await refusal(all(client.readAll({ fromPosition: bad })));
  });

  test('tells missing, deleted and tombstoned streams apart', async () => {
    expect(await refusal(all(client.readStream('told-1')))).toMatchObject({ type: 'stream-not-found' });
    await client.appendToStream('told-1', events(2));
    await client.deleteStream('told-1');
    expect(await refusal(all(client.readStream('told-1')))).toMatchObject({ type: 'stream-not-found' });
    await client.appendToStream('told-1', event(), { expectedRevision: 'no_stream' });
    expect((await all(client.readStream('told-1'))).map(revisionOf)).toEqual([2]);
    await client.tombstoneStream('told-1');
    expect(await refusal(all(client.readStream('told-1')))).toMatchObject({ type: 'stream-deleted' });
    const late = client.appendToStream('told-1', event());
    expect(await refusal(late)).toMatchObject({ type: 'stream-deleted' });
  });

  test('has events of its own among ours, and none of ours at 0', async () => {
    for (let n = 0; n < 10; n++) await client.appendToStream('told-1', event());
    const types = (await all(client.readAll())).map(({ event: recorded }) => recorded?.type);
    expect(types.filter((type) => type === '$statsCollected')).toHaveLength(3);
    expect(types[0]).toBe('$statsCollected');
  });

  test('accepts appends by the older call when it does not support the newer one', async () => {
    const older = await startEventStoreDb({ batchAppend: false });
    const its = EventStoreDBClient.connectionString(older.url);
    older.faults.answerTwice();
    // In a stream of its own, the client sees only the first answer.
    expect(await its.appendToStream('told-1', event())).toMatchObject({ nextExpectedRevision: 0n });
    await its.dispose();
    await older.stop();
  });
});

describe('a subscription to the stand-in', () => {
  test('begins after the given position, filters events, and continues with new ones', async () => {
    await client.appendToStream('told-1', events(2));
    await client.appendToStream('other-1', event());
    await client.appendToStream('told-2', event());
    const [first, second, third] = (await all(client.readAll()))
      .filter(({ event: recorded }) => recorded?.streamId.startsWith('told-'))
      .map(positionOf);
    const { said, got } = follow({ from: first! });
    await until(() => said.includes('caughtUp'));
    expect(got).toEqual([second, third]);
    await client.appendToStream('told-1', event());
    await until(() => got.length === 3);
    expect(said).toEqual(['confirmation', `checkpoint ${third}`, 'caughtUp']);
  });

  test('reports a checkpoint after every 32 events considered and on going live', async () => {
    await client.appendToStream('other-1', events(80));
    const { said, got } = follow();
    await until(() => said.includes('caughtUp'));
    const positions = db.events().map(({ position }) => position);
    expect(said.slice(1, -1)).toEqual([31, 63, 80].map((index) => `checkpoint ${positions[index]}`));
    expect(got).toEqual([]);
  });

  test('falls behind when more events come at once than its channel holds', async () => {
    const { said, got } = follow();
    await until(() => said.includes('caughtUp'));
    await client.appendToStream('told-1', events(40));
    await until(() => got.length === 40);
    expect(said).toContain('fellBehind');
    expect(got).toEqual(ours().map(({ position }) => position));
  });
});

describe('a fault of the stand-in', () => {
  const store = { expectedRevision: 'no_stream' } as const;
  // Until it has a channel, the client opens one for each concurrent call.
  beforeEach(() => client.appendToStream('first-1', event()));

  test('lost reply: stores the append but never answers; a repetition gets the first answer', async () => {
    db.faults.loseReply();
    const told = event();
    expect(await isPending(client.appendToStream('told-1', told, store))).toBe(true);
    expect(ours()).toHaveLength(1);
    expect(await client.appendToStream('told-1', told, store)).toMatchObject({ nextExpectedRevision: 0n });
    expect(ours()).toHaveLength(1);
  });

  test('no answer: stores nothing; a read hangs as well', async () => {
    db.faults.neverAnswer();
    expect(await isPending(client.appendToStream('told-1', event(), store))).toBe(true);
    expect(ours()).toEqual([]);
    db.faults.neverAnswer(1, 'read');
    expect(await isPending(all(client.readStream('told-1')))).toBe(true);
  });

  test('late answer: stores the append at once', async () => {
    db.faults.answerLate(150);
    const appended = client.appendToStream('told-1', event(), store);
    await until(() => ours().length === 1);
    expect(await isPending(appended)).toBe(true);
    expect(await appended).toMatchObject({ nextExpectedRevision: 0n });
  });

  test.each([
    ['BatchAppend', {}],
    ['Append', { credentials: CREDENTIALS }],
  ])('not the leader, or unavailable, by %s: stores nothing, and the next call works', async (_, by) => {
    db.faults.notLeader();
    const refused = await refusal(client.appendToStream('told-1', event(), { ...store, ...by }));
    expect(refused).toMatchObject({ type: 'not-leader', leader: { port: db.port } });
    db.faults.unavailable();
    const unavailable = await refusal(client.appendToStream('told-1', event(), { ...store, ...by }));
    expect(unavailable).toMatchObject({ type: 'unavailable' });
    expect(ours()).toEqual([]);
    await client.appendToStream('told-1', event(), { ...store, ...by });
    db.faults.unavailable(1, 'read');
    expect(await refusal(all(client.readStream('told-1')))).toMatchObject({ type: 'unavailable' });
  });

  test('lasts for the given number of calls, or until it is lifted', async () => {
    db.faults.unavailable(2);
    for (const answer of ['unavailable', 'unavailable', undefined])
      expect(await typeOf(client.appendToStream('told-1', event()))).toBe(answer);
    db.faults.unavailable(Infinity);
    for (let n = 0; n < 3; n++)
      expect(await typeOf(client.appendToStream('told-1', event()))).toBe('unavailable');
    db.faults.lift();
    expect(await typeOf(client.appendToStream('told-1', event()))).toBeUndefined();
  });
  const typeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      ({ type }: { type: string }) => type,
    );

  test('drops open calls, or ends them as if they were complete', async () => {
    const dropped = follow();
    await until(() => dropped.said.includes('caughtUp'));
    db.faults.dropStreams();
    await until(() => dropped.said.includes('error unavailable'));
    const ended = follow();
    await until(() => ended.said.includes('caughtUp'));
    db.faults.endStreams();
    await until(() => ended.said.includes('end'));
    await client.appendToStream('told-1', event());
    expect([...dropped.got, ...ended.got]).toEqual([]);
  });

  test('delivers events again', async () => {
    const { said, got } = follow();
    await until(() => said.includes('caughtUp'));
    await client.appendToStream('told-1', events(3));
    await until(() => got.length === 3);
    db.faults.deliverTwice(2);
    await until(() => got.length === 5);
    expect(got.slice(3)).toEqual(got.slice(1, 3));
    db.faults.fallBehind();
    await until(() => said.at(-1) === 'caughtUp' && said.includes('fellBehind'));
    expect(got).toHaveLength(5);
  });

  test('silence: open subscriptions stay open without events, new ones work', async () => {
    const before = follow();
    await until(() => before.said.includes('caughtUp'));
    db.faults.silence();
    const during = follow();
    await client.appendToStream('told-1', event());
    db.faults.lift();
    const after = follow();
    await until(() => after.got.length === 1);
    expect([...before.got, ...during.got, ...during.said]).toEqual([]);
    expect(before.said).not.toContain('end');
  });

  test('restart: cuts connections, keeps the log, forgets the recent ids', async () => {
    const told = event();
    await client.appendToStream('told-1', told);
    const { said } = follow();
    await until(() => said.includes('caughtUp'));
    await db.restart();
    await until(() => said.some((line) => line.startsWith('error')));
    await until(() =>
      client.appendToStream('told-1', told).then(
        () => true,
        () => false,
      ),
    );
    expect(ours()).toHaveLength(2);
  });
});

describe('a defect of the client that makes adapters need the stand-in', () => {
  /** Runs a script with two clients of the stand-in in a process of its own. Returns its output. */
  async function ending(script: string): Promise<string> {
    const setting = `
      import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
      const [one, other] = [1, 2].map(() => EventStoreDBClient.connectionString(process.argv[1]));
      const append = (by, stream) => by.appendToStream(stream, jsonEvent({ type: 'Told', data: {} }))
        .then(() => console.log(stream, 'stored'), ({ type }) => console.log(stream, type));
      ${script}`;
    const args = ['--input-type=module', '--eval', setting, db.url];
    return run(process.execPath, args, { timeout: 20_000 }).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    );
  }

  test('a second answer to an append ends the process', async () => {
    db.faults.answerTwice();
    const told = await ending(`await append(one, 'told-1'); setTimeout(() => console.log('lives'), 2_000);`);
    expect(told).toMatch(/told-1 deadline-exceeded[^]*TypeError: .* is not iterable/);
    expect(told).not.toContain('lives');
    expect(ours()).toHaveLength(1);
  });

  test('an error that ends the appends of one client rejects those of another, whose answer then ends the process', async () => {
    db.faults.answerLate(500);
    db.faults.unavailable();
    const told = await ending(`
      const first = append(one, 'told-1');
      const isStored = () => Array.fromAsync(other.readStream('told-1')).then(() => true, () => false);
      while (!(await isStored()));
      await append(other, 'told-2');
      await first;
      setTimeout(() => console.log('lives'), 5_000);`);
    expect(told).toMatch(/told-1 unavailable/);
    expect(told).toMatch(/TypeError: .* is not iterable/);
    expect(told).not.toContain('lives');
    expect(ours().map(({ stream }) => stream)).toEqual(['told-1']);
  });
});
