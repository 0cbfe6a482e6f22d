import { hash } from 'node:crypto';

/**
 * The Merkle tree of RFC 6962 §2.1 with SHA-256. Hashes are buffers of 32 bytes. A tree of `size` leaves is named by
 * its root; a proof is a list of roots of ranges of leaves.
 */
export type Hash = Buffer;
export const HASH_BYTES = 32;

/**
 * Returns the SHA-256 of the bytes, or of the text in UTF-8. It takes the way over a string, because a buffer that the
 * hash function makes costs more than the hash itself.
 */
export const sha256 = (data: Buffer | string): Hash => Buffer.from(hash('sha256', data, 'binary'), 'binary');

/** The first byte keeps leaves and nodes apart, so that no node can be passed off as a leaf. */
const LEAF = Buffer.of(0);
const NODE = 1;

/** Returns the hash of a leaf. */
export const leafHash = (data: Buffer): Hash => sha256(Buffer.concat([LEAF, data]));

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, NODE);
/** Returns the hash of the node above two others. */
export function nodeHash(left: Hash, right: Hash): Hash {
  left.copy(pair, 1);
  right.copy(pair, 1 + HASH_BYTES);
  return sha256(pair);
}

export const EMPTY_ROOT = sha256('');

/** A tree that grows at its right. It keeps the roots of its full subtrees only: one for each bit of its size. */
export class Tree {
  #size: number;
  /** From left to right, the largest first. */
  readonly #peaks: Hash[];

  /** Creates a tree of `size` leaves from its peaks; an empty one by default. Throws when their number is wrong. */
  constructor(size = 0, peaks: readonly Hash[] = []) {
    if (peaks.length !== onesOf(size)) throw new Error(`a tree of ${size} has ${onesOf(size)} peaks`);
    this.#size = size;
    this.#peaks = [...peaks];
  }

  get size(): number {
    return this.#size;
  }

  get peaks(): readonly Hash[] {
    return this.#peaks;
  }

  /**
   * Appends one leaf, or the root of a full subtree of `leaves` leaves, a power of two that divides the size of
   * this tree.
   */
  append(root: Hash, leaves = 1): void {
    if (this.#size % leaves !== 0) throw new Error(`no subtree of ${leaves} follows ${this.#size} leaves`);
    let merged = root;
    for (let rest = this.#size / leaves; rest % 2 === 1; rest = (rest - 1) / 2)
      merged = nodeHash(this.#peaks.pop()!, merged);
    this.#peaks.push(merged);
    this.#size += leaves;
  }

  root(): Hash {
    if (this.#peaks.length === 0) return EMPTY_ROOT;
    return this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }

  copy(): Tree {
    return new Tree(this.#size, this.#peaks);
  }
}

function onesOf(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

/** The leaves from `start` up to and without `end`. Its root is that of a tree of these leaves. */
export interface Range {
  start: number;
  end: number;
}

/** Returns the largest power of two that is less than `size`, which is at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Returns the ranges whose roots prove that a leaf is in a tree of `size` leaves: PATH of RFC 6962 §2.1.1. */
export function inclusionRanges(index: number, size: number): Range[] {
  const found: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      found.push({ start: middle, end });
      end = middle;
    } else {
      found.push({ start, end: middle });
      start = middle;
    }
  }
  return found.toReversed();
}

/**
 * Returns the ranges whose roots prove that a tree of `to` leaves begins with the tree of `from` leaves: PROOF of
 * RFC 6962 §2.1.2. None are needed when `from` is 0 or `to`.
 */
export function consistencyRanges(from: number, to: number): Range[] {
  if (from === 0 || from === to) return [];
  const found: Range[] = [];
  let [start, end] = [0, to];
  while (end > from) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      found.push({ start: middle, end });
      end = middle;
    } else {
      found.push({ start, end: middle });
      start = middle;
    }
  }
  // The verifier knows the root of `from` leaves already.
  if (start > 0) found.push({ start, end });
  return found.toReversed();
}

/** Returns true if the hashes prove that the leaf is in the tree: RFC 9162 §2.1.3.2. */
export function isIncluded({
  index,
  size,
  leaf,
  hashes,
  root,
}: {
  index: number;
  size: number;
  leaf: Hash;
  hashes: readonly Hash[];
  root: Hash;
}): boolean {
  if (index >= size) return false;
  let [node, last] = [index, size - 1];
  let result = leaf;
  for (const sibling of hashes) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      result = nodeHash(sibling, result);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else result = nodeHash(result, sibling);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && result.equals(root);
}

/** Returns true if the hashes prove that the tree of `to` leaves begins with that of `from`: RFC 9162 §2.1.4.2. */
export function isConsistent({
  from,
  to,
  fromRoot,
  toRoot,
  hashes,
}: {
  from: number;
  to: number;
  fromRoot: Hash;
  toRoot: Hash;
  hashes: readonly Hash[];
}): boolean {
  if (from > to) return false;
  if (from === to) return hashes.length === 0 && fromRoot.equals(toRoot);
  if (from === 0) return hashes.length === 0 && fromRoot.equals(EMPTY_ROOT);
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  const [first, ...rest] = node === 0 ? [fromRoot, ...hashes] : hashes;
  if (first === undefined) return false;
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else newer = nodeHash(newer, sibling);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && older.equals(fromRoot) && newer.equals(toRoot);
}
