import { isIncluded } from '../../src/audit/merkle.ts';
import { rootOf } from '../../src/audit/checkpoint.ts';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { type EventStoreDbStage, stageEventStoreDb } from '../support/eventstoredb/stage.ts';
import { range, say } from '../support/language/appends.ts';
import { type SealStage, sealStage } from '../support/stages/seal-stage.ts';

/** A log in EventStoreDB, where positions are not counts. */
let server: EventStoreDb;
let log: EventStoreDbStage;
let stage: SealStage;
beforeEach(async () => {
  server = await startEventStoreDb();
  log = await stageEventStoreDb(server.url);
  stage = await sealStage({ store: await log.open() });
});
afterEach(async () => {
  await stage.close();
  await log.close();
  await server.stop();
});

test('a log in EventStoreDB is sealed, verified and proved by its positions', async () => {
  for (const count of [200, 80, 3]) {
    await stage.append(count);
    await stage.seal();
  }
  const chain = await Array.fromAsync(stage.checkpoints.all());
  expect(chain.map(({ size }) => size)).toEqual([200, 280, 283]);
  const verification = await stage.verify();
  expect(verification).toMatchObject({ checkpoints: 3, events: 283, unsealed: 0 });
  expect(await stage.verify(verification.verified)).toMatchObject({ checkpoints: 0, events: 0 });

  const events = await stage.store.readStored({ after: 0, limit: 300 });
  for (const index of [0, 199, 255, 256, 282]) {
    const { position } = events[index]!;
    const proof = await stage.proofs.inclusion({ position });
    expect(proof).toMatchObject({ index, size: 283, event: { position } });
    const hashes = proof.hashes.map((each) => Buffer.from(each, 'base64url'));
    const leaf = Buffer.from(proof.leaf, 'base64url');
    expect(isIncluded({ index, size: 283, leaf, hashes, root: rootOf(chain.at(-1)!) })).toBe(true);
  }
  await expect(stage.proofs.inclusion({ position: events[7]!.position + 1 })).rejects.toMatchObject({
    code: 'EVENT_NOT_FOUND',
  });
  await expect(stage.proofs.inclusion({ position: events[240]!.position, size: 200 })).rejects.toMatchObject({
    code: 'NOT_SEALED',
  });
});

test('a log in EventStoreDB that was replaced by another is found by the verification and the sealer', async () => {
  await stage.append(30);
  await stage.seal();
  const other = await startEventStoreDb();
  const otherLog = await stageEventStoreDb(other.url);
  const store = await otherLog.open();
  await Promise.all(range(30).map((n) => store.append(say(`conversation-${n % 3}`, `Message ${n}`))));
  const [first] = await store.readStored({ after: 0, limit: 1 });
  await expect(stage.verify(undefined, { store })).rejects.toMatchObject({
    position: first!.position,
    message: 'the event is not the one that was sealed',
  });
  await expect(stage.seal({ store })).rejects.toMatchObject({
    name: 'SealBroken',
    position: first!.position,
  });
  await otherLog.close();
  await other.stop();
});
