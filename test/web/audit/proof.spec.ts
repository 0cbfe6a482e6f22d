import { generateKeyPairSync } from 'node:crypto';
import { type Unsigned, hashOf, sealKey } from '../../../src/audit/checkpoint.ts';
import { type SealedEvent, sealedLeaf } from '../../../src/audit/leaf.ts';
import { type Range, Tree, consistencyRanges, inclusionRanges } from '../../../src/audit/merkle.ts';
import {
  type Checkpoint,
  type ConsistencyProof,
  type InclusionProof,
  checkConsistency,
  checkInclusion,
  checkOrder,
  checkSignature,
  publishedKeys,
} from '../../../web/audit/proof.ts';

const SIZE = 13;
const HEX = 'ab'.repeat(32);
const key = sealKey(generateKeyPairSync('ed25519').privateKey);
const stranger = sealKey(generateKeyPairSync('ed25519').privateKey);

const events: SealedEvent[] = Array.from({ length: SIZE }, (_, at) => ({
  ...{ position: at + 1, stream: `job-é${at}`, revision: 0, id: `event-${at}`, type: 'JobPosted', v: 1 },
  ...{ occurredAt: '2026-11-29T20:00:00.000Z', recordedAt: at % 2 === 0 ? null : '2026-11-29T20:00:00.001Z' },
  ...{ dataSha256: HEX, metadataSha256: HEX },
}));
const leaves = events.map(sealedLeaf);

function rootOf({ start, end }: Range): string {
  const tree = new Tree();
  for (const leaf of leaves.slice(start, end)) tree.append(leaf);
  return tree.root().toString('base64url');
}

function checkpointOf(size: number, previous: Checkpoint | null = null, by = key): Checkpoint {
  const unsigned: Unsigned = {
    ...{ size, root: rootOf({ start: 0, end: size }), position: String(size) },
    ...{ previous: previous && hashOf(previous), at: '2026-11-29T20:00:01.000Z' },
  };
  return by.sign(unsigned);
}

function inclusion(index: number, size = SIZE): InclusionProof {
  const { position, ...event } = events[index]!;
  return {
    ...{ position: String(position), index, size, leaf: leaves[index]!.toString('base64url') },
    hashes: inclusionRanges(index, size).map(rootOf),
    event: { ...event, position: String(position) },
  };
}
const consistency = (from: number, to: number): ConsistencyProof => ({
  ...{ from, to },
  hashes: consistencyRanges(from, to).map(rootOf),
});

const places = Array.from({ length: SIZE }, (_, at) => at);

describe('A proof that an event is in the log', () => {
  const shown = (index: number) => inclusion(index).event;

  test.each(places)('holds for the event %i, in trees of every size', async (index) => {
    for (let size = index + 1; size <= SIZE; size += 1)
      expect(await checkInclusion(shown(index), inclusion(index, size), checkpointOf(size))).toEqual({
        ...{ leaf: 'holds', path: 'holds' },
      });
  });

  const forged: [what: string, change: (proof: InclusionProof) => InclusionProof][] = [
    ['another hash', (proof) => ({ ...proof, hashes: [proof.leaf, ...proof.hashes.slice(1)] })],
    ['a hash less', (proof) => ({ ...proof, hashes: proof.hashes.slice(1) })],
    ['a hash more', (proof) => ({ ...proof, hashes: [...proof.hashes, proof.leaf] })],
    ['what is no hash', (proof) => ({ ...proof, hashes: ['AAAA', ...proof.hashes.slice(1)] })],
    ['no base64url', (proof) => ({ ...proof, hashes: ['<b>', ...proof.hashes.slice(1)] })],
    ['another place', (proof) => ({ ...proof, index: proof.index + 1 })],
    ['a place beyond the tree', (proof) => ({ ...proof, index: SIZE })],
    ['a place that is none', (proof) => ({ ...proof, index: 0.5 })],
    ['another size', (proof) => ({ ...proof, size: SIZE - 1 })],
    [
      'contents with another hash',
      (proof) => ({ ...proof, event: { ...proof.event, dataSha256: 'cd'.repeat(32) } }),
    ],
  ];
  test.each(forged)('does not hold with %s', async (_what, change) => {
    const { path } = await checkInclusion(shown(5), change(inclusion(5)), checkpointOf(SIZE));
    expect(path).toBe('broken');
  });

  test('does not hold for another event than the one that is shown, though it leads to the root', async () => {
    const others = [
      shown(6),
      ...(['position', 'stream', 'id', 'type', 'occurredAt'] as const).map((field) => ({
        ...shown(5),
        [field]: 'x',
      })),
      { ...shown(5), revision: 1 },
    ];
    for (const other of others)
      expect(await checkInclusion(other, inclusion(5), checkpointOf(SIZE))).toEqual({
        ...{ leaf: 'broken', path: 'holds' },
      });
  });

  test('does not hold when the leaf is not that of the event', async () => {
    const proof = { ...inclusion(5), leaf: inclusion(6).leaf };
    expect((await checkInclusion(shown(5), proof, checkpointOf(SIZE))).leaf).toBe('broken');
  });

  test('does not hold against the root of another log', async () => {
    const other = { ...checkpointOf(SIZE), root: checkpointOf(SIZE - 1).root };
    expect((await checkInclusion(shown(5), inclusion(5), other)).path).toBe('broken');
  });
});

describe('A proof that the log begins with an older one', () => {
  test.each(places.map((at) => at + 1))('holds from %i events on', async (from) => {
    for (let to = from; to <= SIZE; to += 1)
      expect(await checkConsistency(checkpointOf(from), checkpointOf(to), consistency(from, to))).toBe(
        'holds',
      );
  });

  test('does not hold when the older log was another one, or the newer', async () => {
    const [older, newer] = [checkpointOf(6), checkpointOf(SIZE)];
    const proof = consistency(6, SIZE);
    const wrong = checkpointOf(7).root;
    expect(await checkConsistency({ ...older, root: wrong }, newer, proof)).toBe('broken');
    expect(await checkConsistency(older, { ...newer, root: wrong }, proof)).toBe('broken');
    expect(await checkConsistency(older, newer, { ...proof, hashes: proof.hashes.slice(1) })).toBe('broken');
    expect(await checkConsistency(older, newer, { ...proof, hashes: [] })).toBe('broken');
    expect(await checkConsistency(newer, older, proof)).toBe('broken');
    expect(await checkConsistency(older, { ...older, root: wrong }, consistency(6, 6))).toBe('broken');
  });
});

describe('A checkpoint', () => {
  const published = () => publishedKeys({ keys: [{ ...key.jwk }] });

  test('is signed with a key that is published', async () => {
    expect(await checkSignature(checkpointOf(SIZE), await published())).toBe('holds');
  });

  test('is refused with another field than was signed, or with a signature that is none', async () => {
    const keys = await published();
    const checkpoint = checkpointOf(SIZE);
    const { signature } = checkpointOf(SIZE - 1);
    const forged = [
      { size: 12 },
      { root: checkpointOf(12).root },
      { previous: HEX },
      { position: '12' },
      { at: '2026-11-29T20:00:02.000Z' },
      { signature },
      { signature: 'AAAA' },
      { signature: '' },
    ];
    for (const change of forged)
      expect(await checkSignature({ ...checkpoint, ...change }, keys)).toBe('broken');
  });

  test('is refused with the key of a stranger, also under the id of the true one', async () => {
    const foreign = checkpointOf(SIZE, null, stranger);
    expect(await checkSignature(foreign, await published())).toBe('broken');
    const renamed = await publishedKeys({ keys: [{ ...stranger.jwk, kid: key.jwk.kid }] });
    expect(await checkSignature({ ...foreign, keyId: key.jwk.kid }, renamed)).toBe('broken');
  });

  test('names the one before it', async () => {
    const first = checkpointOf(3);
    expect(await checkOrder(first, checkpointOf(5, first))).toBe('holds');
    expect(await checkOrder(first, checkpointOf(5, checkpointOf(4)))).toBe('broken');
    expect(await checkOrder(first, checkpointOf(3, first))).toBe('broken');
    expect(await checkOrder(first, checkpointOf(5))).toBe('broken');
  });
});
