import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCheckpointFile } from '../../src/adapters/disk/checkpoints.ts';
import { type Checkpoint, hashOf, trustedKeys } from '../../src/audit/checkpoint.ts';
import { leafOf } from '../../src/audit/leaf.ts';
import { Tree } from '../../src/audit/merkle.ts';
import { sealToHead } from '../../src/audit/sealer.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { openSealRecords } from '../../src/adapters/postgres/tables/seals.ts';
import { type Verified, NotVerified } from '../../src/audit/verify.ts';
import { DISARM, type SealStage, newSealKey, sealStage } from '../support/stages/seal-stage.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_129);
const EACH = 60;
const EVENTS = 330;
/** Between two checkpoints. */
const STEP = 30;

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
type Random = ReturnType<typeof randomFrom>;

let stage: SealStage;
let chain: Checkpoint[];
let verified: Verified;
/** The key of a sealer that an attacker owns. */
const strange = newSealKey();

beforeAll(async () => {
  stage = await sealStage();
  for (let sealed = 0; sealed < EVENTS; sealed += STEP) {
    await stage.append(STEP, 7);
    await stage.seal();
  }
  chain = await Array.fromAsync(stage.checkpoints.all());
  verified = (await stage.verify()).verified!;
});
afterAll(() => stage.close());

/** What the owner of the database can see and write, in a transaction that is rolled back. */
interface Attack {
  random: Random;
  run(statement: string, values?: unknown[]): Promise<unknown>;
  /** The position of some event. */
  some(): number;
  /** Replaces the file of the checkpoints. */
  write(text: string): void;
  writeChain(checkpoints: readonly Checkpoint[]): void;
}
type Manipulation = (attack: Attack) => Promise<unknown> | void;

/** Another value of each column; $2 is a number. */
const COLUMNS: Record<string, string> = {
  data: `json_build_object('text', 'forged ' || $2::text)`,
  metadata: `json_build_object('actorId', $2::text)`,
  id: `gen_random_uuid()`,
  type: `type || chr(65 + $2 % 26)`,
  v: `v + 1 + $2 % 9`,
  occurred_at: `occurred_at + make_interval(secs => (1 + $2) / 1000.0)`,
  recorded_at: `case when $2 % 2 = 0 then null else recorded_at + interval '1 ms' end`,
  revision: `revision + 1000000 + $2`,
};

/** Gives the events after a position other ones, in an order that no unique index minds. */
const shift = async ({ run }: Attack, after: number, by: number) => {
  await run('update events set position = -position where position > $1', [after]);
  await run('update events set position = -position + $1 where position < 0', [by]);
};

const INSERT = `
  insert into events (position, stream, revision, id, type, v, data, metadata, occurred_at)
  select $1, stream, revision + 5000000, gen_random_uuid(), type, v, data, metadata, occurred_at
  from events order by position limit 1`;

const table: Record<string, Manipulation> = {
  async 'a bit of the stored text'({ run, some, random }) {
    const column = random(2) === 0 ? 'data' : 'metadata';
    const position = some();
    const { rows } = await stage.owner.query<{ text: string }>(
      `select ${column}::text as text from events where position = $1`,
      [position],
    );
    const { text } = rows[0]!;
    for (;;) {
      const at = random(text.length);
      const flipped = Buffer.from(text);
      flipped[at]! ^= 1 << random(7);
      try {
        JSON.parse(flipped.toString());
      } catch {
        continue;
      }
      await run(`update events set ${column} = $2::text::json where position = $1`, [
        position,
        flipped.toString(),
      ]);
      return;
    }
  },
  async 'white space of the stored JSON'({ run, some }) {
    await run(`update events set data = (data::text || ' ')::json where position = $1`, [some()]);
  },
  async 'a column'({ run, some, random }) {
    const [column, value] = Object.entries(COLUMNS)[random(Object.keys(COLUMNS).length)]!;
    // Types of parameters are told by their use.
    await run(`update events set ${column} = ${value} where position = $1 and $2::int is not null`, [
      some(),
      random(1_000),
    ]);
  },
  async 'a deleted event'({ run, some }) {
    await run('delete from events where position = $1', [some()]);
  },
  async 'a deleted event whose gap is closed'(attack) {
    const position = attack.some();
    await attack.run('delete from events where position = $1', [position]);
    await shift(attack, position, -1);
  },
  async 'an inserted event'(attack) {
    const position = attack.some();
    await shift(attack, position - 1, 1);
    await attack.run(INSERT, [position]);
  },
  async 'two events that change places'({ run, some }) {
    const [a, b] = [some(), some()];
    const other = a === b ? (a % EVENTS) + 1 : b;
    await run('update events set position = -position where position in ($1, $2)', [a, other]);
    await run('update events set position = $1::bigint + $2::bigint + position where position < 0', [
      a,
      other,
    ]);
  },
  async 'two events that change their contents'({ run, some }) {
    const [a, b] = [some(), some()];
    await run(
      `update events e set data = o.data from events o
       where e.position in ($1, $2) and o.position = $1 + $2 - e.position`,
      [a, a === b ? (a % EVENTS) + 1 : b],
    );
  },
  async 'an event that moves to another stream'({ run, some, random }) {
    await run(`update events set stream = 'conversation-elsewhere', revision = $2 where position = $1`, [
      some(),
      random(100),
    ]);
  },
  async 'a tail that is cut off'({ run, random }) {
    await run('delete from events where position > $1', [EVENTS - 1 - random(EVENTS - 1)]);
  },
  async 'a tail that is written anew, with tiles and the head of the sealer'({ run, random }) {
    const from = random(EVENTS - 1);
    await run(`update events set data = json_build_object('text', 'forged') where position > $1`, [from]);
    await forgeRecords(from);
  },
  async 'a tail that is written anew and signed with another key'({ run, random, writeChain }) {
    const from = random(EVENTS - 1);
    await run(`update events set data = json_build_object('text', 'forged') where position > $1`, [from]);
    const kept = chain.filter(({ size }) => size <= from);
    const forged = await signAnew(kept, strange);
    await run('update seals set checkpoint = $1', [JSON.stringify(forged.at(-1))]);
    writeChain(forged);
  },
  async 'a checkpoint that is signed with another key'({ run, random, writeChain }) {
    const place = random(chain.length);
    const { signature: _, keyId: __, ...unsigned } = chain[place]!;
    writeChain(chain.with(place, strange.sign(unsigned)));
    if (place === chain.length - 1) await run('update seals set checkpoint = null');
  },
  'a checkpoint that names a trusted key, signed with another'({ random, writeChain }) {
    const place = random(chain.length);
    const { signature: _, keyId: __, ...unsigned } = chain[place]!;
    const { signature } = strange.sign(unsigned);
    writeChain(chain.with(place, { ...chain[place]!, signature }));
  },
  'a second checkpoint of one size'({ random, writeChain }) {
    const place = random(chain.length);
    const { signature: _, keyId: __, ...unsigned } = chain[place]!;
    const second = stage.key.sign({ ...unsigned, at: '2026-11-29T20:00:00.000Z' });
    writeChain([...chain.slice(0, place + 1), second, ...chain.slice(place + 1)]);
  },
  'a chain that branches'({ random, writeChain }) {
    const place = random(chain.length - 1);
    const { signature: _, keyId: __, ...unsigned } = chain[place + 1]!;
    const branch = stage.key.sign({
      ...unsigned,
      size: unsigned.size - 1 - random(STEP - 2),
      at: '2026-11-29T20:00:00.000Z',
    });
    writeChain([...chain.slice(0, place + 1), branch, ...chain.slice(place + 1)]);
  },
  'a file of checkpoints that is cut at its end'({ random, write }) {
    const text = chain.map((each) => `${JSON.stringify(each)}\n`).join('');
    // Only the very last checkpoint may be on its way there.
    const most = text.length - `${JSON.stringify(chain.at(-1))}\n`.length - 1;
    write(text.slice(0, random(most)));
  },
  'a checkpoint that is taken out'({ random, writeChain }) {
    writeChain(chain.toSpliced(random(chain.length - 1), 1));
  },
  'checkpoints that change places'({ random, writeChain }) {
    const place = random(chain.length - 1);
    writeChain(chain.with(place, chain[place + 1]!).with(place + 1, chain[place]!));
  },
  'a byte of the file of checkpoints'({ random, write }) {
    const bytes = Buffer.from(chain.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const at = random(bytes.length);
    bytes[at] = (bytes[at]! + 1 + random(90)) % 128;
    write(bytes.toString('latin1'));
  },
};

/** Gives the sealer's own records the hashes of the log as it is now, in the transaction of the attacker. */
async function forgeRecords(from: number): Promise<void> {
  const store = ownersStore();
  const records = await openSealRecords(stage.owner, 'here');
  const events = await store.readStored({ after: 0, limit: EVENTS });
  for (let index = 0; index * 256 < EVENTS; index += 1) {
    const leaves = events.slice(index * 256, (index + 1) * 256).map(leafOf);
    const tree = new Tree();
    for (const leaf of leaves) tree.append(leaf);
    const root = leaves.length === 256 ? tree.root() : null;
    const position = Math.min((index + 1) * 256, EVENTS);
    await records.save([{ level: 1, index, root, position, leaves: Buffer.concat(leaves) }]);
  }
  const kept = chain.filter(({ size }) => size <= from);
  const head = (await signAnew(kept, strange)).at(-1);
  await stage.owner.query('update seals set checkpoint = $1', [JSON.stringify(head)]);
}

const ownersStore = () =>
  createPostgresEventStore({ pool: stage.owner, url: stage.databaseUrl, log: stage.log });

/** Returns a chain that begins with checkpoints that are kept, and goes on with the log as it is now. */
async function signAnew(kept: readonly Checkpoint[], key: typeof strange): Promise<Checkpoint[]> {
  const events = await ownersStore().readStored({ after: 0, limit: EVENTS });
  const forged = [...kept];
  const tree = new Tree();
  for (const [n, event] of events.entries()) {
    tree.append(leafOf(event));
    if (n + 1 <= (kept.at(-1)?.size ?? 0) || ((n + 1) % STEP > 0 && n + 1 < events.length)) continue;
    const previous = forged.at(-1);
    forged.push(
      key.sign({
        size: n + 1,
        root: tree.root().toString('base64url'),
        previous: previous ? hashOf(previous) : null,
        position: String(event.position),
        at: '2026-11-29T20:00:00.000Z',
      }),
    );
  }
  return forged;
}

/** Verifies what is left after an attack. Resolves with the fault that was found; undefined when none was. */
async function faultAfter(manipulate: Manipulation, random: Random): Promise<NotVerified | undefined> {
  let text = await readFile(stage.file, 'utf8');
  const records = await openSealRecords(stage.owner, 'here');
  await stage.owner.query(`begin; ${DISARM}`);
  try {
    await manipulate({
      random,
      run: (statement, values) => stage.owner.query(statement, values),
      some: () => 1 + random(EVENTS),
      write: (written) => void (text = written),
      writeChain: (checkpoints) =>
        void (text = checkpoints.map((each) => `${JSON.stringify(each)}\n`).join('')),
    });
    const path = join(stage.dir, 'manipulated.ndjson');
    await writeFile(path, text);
    await stage.verify(undefined, { store: ownersStore(), records, checkpoints: createCheckpointFile(path) });
    return undefined;
  } catch (error) {
    if (error instanceof NotVerified) return error;
    throw error;
  } finally {
    await stage.owner.query('rollback');
  }
}

test.each(Object.entries(table))(
  `finds %s, ${EACH} of ${EACH} times`,
  async (_what, manipulate) => {
    const random = randomFrom(SEED);
    for (let n = 0; n < EACH; n += 1)
      expect({ n, fault: await faultAfter(manipulate, random) }).toEqual({
        n,
        fault: expect.any(NotVerified),
      });
  },
  120_000,
);

test('finds nothing in what nobody has touched', async () => {
  for (let n = 0; n < 20; n += 1) expect(await faultAfter(() => {}, randomFrom(n))).toBeUndefined();
  expect(await stage.verify()).toMatchObject({ checkpoints: chain.length, events: EVENTS, unsealed: 0 });
  expect(await stage.verify(verified)).toMatchObject({ checkpoints: 0, events: 0, unsealed: 0 });
});

test('names the first position that does not hold', async () => {
  for (const position of [1, 30, 31, 256, 257, 330]) {
    const fault = await faultAfter(
      ({ run }) => run(`update events set data = '{}' where position in ($1, 330)`, [position]),
      randomFrom(position),
    );
    expect(fault).toMatchObject({ position, message: 'the event is not the one that was sealed' });
  }
  const deleted = await faultAfter(({ run }) => run('delete from events where position = 99'), randomFrom(1));
  expect(deleted).toMatchObject({ position: 99, message: 'there is no event at this position' });
  const cut = await faultAfter(({ run }) => run('delete from events where position > 315'), randomFrom(1));
  expect(cut).toMatchObject({ position: 315, message: 'sealed events are missing at the end of the log' });
});

test('an auditor who keeps what was verified finds a log and checkpoints that were cut together, and signed anew', async () => {
  const dropped = chain.slice(0, -3);
  const path = join(stage.dir, 'cut.ndjson');
  const store = ownersStore();
  const records = await openSealRecords(stage.owner, 'here');
  const checkpoints = createCheckpointFile(path);
  await stage.owner.query(`begin; ${DISARM}`);
  try {
    await stage.owner.query('delete from events where position > $1', [dropped.at(-1)!.size]);
    await stage.owner.query('update seals set checkpoint = $1', [JSON.stringify(dropped.at(-1))]);
    await writeFile(path, dropped.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const changes = { store, records, checkpoints };
    // Nobody else can know: this is why checkpoints belong to a place of their own.
    await stage.verify(undefined, changes);
    await expect(stage.verify(verified, changes)).rejects.toMatchObject({
      message: 'the checkpoint of 330 events, which was verified before, is gone',
    });
  } finally {
    await stage.owner.query('rollback');
  }
});

test('goes on from what was verified, and refuses an edited file of it', async () => {
  const early = (await stage.verify(undefined, { keys: trustedKeys([stage.key.jwk]) })).verified!;
  await stage.append(STEP, 7);
  await sealToHead(stage);
  expect(await stage.verify(early)).toMatchObject({ checkpoints: 1, events: STEP, unsealed: 0 });
  const edited = { ...early, peaks: early.peaks.toReversed() };
  await expect(stage.verify(edited)).rejects.toThrow('its file was edited');
});
