import fc from 'fast-check';
import {
  EMPTY_ROOT,
  type Hash,
  Tree,
  consistencyRanges,
  inclusionRanges,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  sha256,
} from '../../src/audit/merkle.ts';

/** The leaves and roots that the tests of Certificate Transparency share. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => leafHash(Buffer.from(hex, 'hex')));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const INCLUSION: [index: number, size: number, hashes: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const CONSISTENCY: [from: number, to: number, hashes: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

function treeOf(leaves: readonly Hash[]): Tree {
  const tree = new Tree();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
}

/** The definition of RFC 6962 §2.1, word by word. */
function rootOf(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
const hashesOf = (leaves: readonly Hash[], ranges: readonly { start: number; end: number }[]) =>
  ranges.map(({ start, end }) => rootOf(leaves.slice(start, end)));
const hex = (hashes: readonly Hash[]) => hashes.map((each) => each.toString('hex'));

describe('the vectors of Certificate Transparency', () => {
  test.each(ROOTS.map((root, size) => [size, root] as const))('the root of %i leaves', (size, root) => {
    expect(treeOf(LEAVES.slice(0, size)).root().toString('hex')).toBe(root);
  });

  test.each(INCLUSION)('the proof that leaf %i is among %i', (index, size, hashes) => {
    expect(hex(hashesOf(LEAVES, inclusionRanges(index, size)))).toEqual(hashes);
  });

  test.each(CONSISTENCY)('the proof that %i leaves begin %i', (from, to, hashes) => {
    expect(hex(hashesOf(LEAVES, consistencyRanges(from, to)))).toEqual(hashes);
  });
});

const leavesOf = (size: number) => Array.from({ length: size }, (_, n) => leafHash(Buffer.from(String(n))));
const MOST = 600;
const all = leavesOf(MOST);
const place = fc
  .tuple(fc.nat(MOST - 1), fc.nat(MOST - 1))
  .map(([a, b]) => ({ index: Math.min(a, b), size: Math.max(a, b) + 1 }));

describe('proofs', () => {
  test('the tree has the root of the definition, whether its leaves or its subtrees are appended', () =>
    fc.assert(
      fc.property(fc.nat(MOST), fc.nat(6), (size, height) => {
        const leaves = all.slice(0, size);
        const subtree = 2 ** height;
        const tree = new Tree();
        let done = 0;
        for (; done + subtree <= size; done += subtree)
          tree.append(rootOf(leaves.slice(done, done + subtree)), subtree);
        for (const leaf of leaves.slice(done)) tree.append(leaf);
        expect(tree.size).toBe(size);
        expect(tree.root()).toEqual(rootOf(leaves));
        expect(tree.root()).toEqual(treeOf(leaves).root());
        expect(new Tree(size, tree.peaks).root()).toEqual(tree.root());
      }),
    ));

  test('prove each leaf in its place, and nowhere else', () =>
    fc.assert(
      fc.property(place, fc.nat(MOST - 1), ({ index, size }, other) => {
        const leaves = all.slice(0, size);
        const hashes = hashesOf(leaves, inclusionRanges(index, size));
        const proof = { index, size, leaf: leaves[index]!, hashes, root: rootOf(leaves) };
        expect(isIncluded(proof)).toBe(true);
        if (other !== index) {
          expect(isIncluded({ ...proof, index: other })).toBe(false);
          expect(isIncluded({ ...proof, leaf: all[other]! })).toBe(false);
        }
        expect(isIncluded({ ...proof, index: size })).toBe(false);
        expect(isIncluded({ ...proof, hashes: [...hashes, EMPTY_ROOT] })).toBe(false);
        if (hashes.length > 0) {
          expect(isIncluded({ ...proof, hashes: hashes.slice(1) })).toBe(false);
          expect(isIncluded({ ...proof, hashes: hashes.with(-1, EMPTY_ROOT) })).toBe(false);
        }
      }),
    ));

  test('prove that a tree begins with an older one, and not with a changed one', () =>
    fc.assert(
      fc.property(place, fc.nat(), ({ index: from, size: to }, seed) => {
        const hashes = hashesOf(all, consistencyRanges(from, to));
        const proof = {
          from,
          to,
          fromRoot: rootOf(all.slice(0, from)),
          toRoot: rootOf(all.slice(0, to)),
          hashes,
        };
        expect(isConsistent(proof)).toBe(true);
        expect(isConsistent({ ...proof, hashes: [...hashes, EMPTY_ROOT] })).toBe(false);
        expect(isConsistent({ ...proof, from: to, to: from })).toBe(false);
        if (from === 0) return;
        const changed = all.slice(0, from).with(seed % from, EMPTY_ROOT);
        expect(isConsistent({ ...proof, fromRoot: rootOf(changed) })).toBe(false);
        expect(isConsistent({ ...proof, toRoot: EMPTY_ROOT })).toBe(false);
        if (hashes.length > 0) expect(isConsistent({ ...proof, hashes: hashes.slice(1) })).toBe(false);
      }),
    ));

  test('a tree refuses a subtree that does not fit, and peaks that are not its own', () => {
    expect(() => treeOf(LEAVES.slice(0, 3)).append(EMPTY_ROOT, 2)).toThrow(
      'no subtree of 2 follows 3 leaves',
    );
    expect(() => new Tree(3, [EMPTY_ROOT])).toThrow('a tree of 3 has 2 peaks');
  });
});
