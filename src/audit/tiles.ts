import type { Position } from '../events/event-store.ts';
import type { Checkpoint } from './checkpoint.ts';
import { HASH_BYTES, type Hash, type Range, Tree } from './merkle.ts';

/** Number of hashes of a tile. */
export const TILE = 256;

/**
 * A full subtree of 256^level leaves, by which a proof reads a few rows and not the log. The last one of level 1 may be
 * unfinished. Tiles are a help and no evidence: whatever is made of them is compared with a signed root.
 */
export interface Tile {
  level: number;
  /** Counted from the left, from 0. */
  index: number;
  /** Null for an unfinished one. */
  root: Hash | null;
  /** Of its last event. */
  position: Position;
  /** The hashes of its leaves, one after the other; null above level 1. */
  leaves: Buffer | null;
}

/** The port of what the sealer keeps in the database, about one place of checkpoints. */
export interface SealRecords {
  /** Resolves with the last checkpoint that was signed. It may not have reached its place. */
  head(): Promise<Checkpoint | undefined>;
  /** Moves the head and saves the tiles; resolves with false when another process has moved it, and changes nothing. */
  advance(step: {
    previous: Checkpoint | undefined;
    next: Checkpoint;
    tiles: readonly Tile[];
  }): Promise<boolean>;
  /** Brings the head to its place. Only one process does that at a time, so that no checkpoint overtakes another. */
  publish(append: (head: Checkpoint) => Promise<void>): Promise<void>;
  save(tiles: readonly Tile[]): Promise<void>;
  /** Resolves with those of the roots that are kept, by level and index. */
  roots(asked: readonly TileName[]): Promise<(TileName & { root: Hash })[]>;
  /** Resolves with a tile of level 1, and the position of the last event before it. */
  tile(index: number): Promise<FoundTile | undefined>;
  /** Resolves with the tile of level 1 that an event at this position is in. */
  tileAt(position: Position): Promise<FoundTile | undefined>;
}
export type TileName = Pick<Tile, 'level' | 'index'>;
export interface FoundTile {
  index: number;
  leaves: Buffer;
  /** The position of the last event before it; 0 when it is the first. */
  after: Position;
}

export const hashesIn = (leaves: Buffer): Hash[] =>
  Array.from({ length: leaves.length / HASH_BYTES }, (_, n) =>
    leaves.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES),
  );

/** The tiles that a proof needs are not there. */
export class TilesMissing extends Error {
  override readonly name = 'TilesMissing';
}

type Piece = TileName & { leaves: number };

/** Returns the largest tiles, and single leaves (level 0), that make up a range that starts where its size fits. */
function piecesOf({ start, end }: Range): Piece[] {
  const pieces: Piece[] = [];
  for (let next = start; next < end;) {
    let [level, leaves] = [0, 1];
    while (next % (leaves * TILE) === 0 && next + leaves * TILE <= end)
      [level, leaves] = [level + 1, leaves * TILE];
    pieces.push({ level, index: next / leaves, leaves });
    next += leaves;
  }
  return pieces;
}

/** Resolves with the trees of ranges, such as those of a proof, made of tiles. Rejects with `TilesMissing`. */
export async function treesOf(records: SealRecords, ranges: readonly Range[]): Promise<Tree[]> {
  const pieces = ranges.map(piecesOf);
  const nameOf = ({ level, index }: TileName) => `${level} ${index}`;
  const found = new Map<string, Hash>();
  const wanted = pieces.flat();
  const asked = wanted.filter(({ level }) => level > 0);
  if (asked.length > 0) for (const tile of await records.roots(asked)) found.set(nameOf(tile), tile.root);
  for (const tileIndex of new Set(
    wanted.flatMap(({ level, index }) => (level === 0 ? [Math.floor(index / TILE)] : [])),
  ))
    hashesIn((await records.tile(tileIndex))?.leaves ?? Buffer.alloc(0)).forEach((hash, n) =>
      found.set(nameOf({ level: 0, index: tileIndex * TILE + n }), hash),
    );
  return pieces.map((each) => {
    const tree = new Tree();
    for (const piece of each) {
      const root = found.get(nameOf(piece));
      if (!root) throw new TilesMissing(`the tile ${piece.index} of level ${piece.level} is missing`);
      tree.append(root, piece.leaves);
    }
    return tree;
  });
}

/** A tree that grows with the log, and what becomes of it in tiles. */
export class TiledTree {
  /** The events of finished tiles. */
  #tree = new Tree();
  /** The unfinished tiles, from level 1 upwards. */
  #unfinished: Tree[] = [new Tree()];
  #finished: Tile[] = [];
  #leaves: Hash[] = [];
  #after: Position = 0;
  #position: Position = 0;

  /** Resolves with the tree of `size` events, made of tiles. Rejects with `TilesMissing`. */
  static async restore(
    records: SealRecords,
    { size, position }: { size: number; position: Position },
  ): Promise<TiledTree> {
    const made = new TiledTree();
    if (size === 0) return made;
    const levels: Range[] = [];
    for (let leaves = 1; leaves <= size; leaves *= TILE)
      levels.push({
        start: Math.floor(size / (leaves * TILE)) * leaves * TILE,
        end: Math.floor(size / leaves) * leaves,
      });
    const last = await records.tile(Math.ceil(size / TILE) - 1);
    if (!last) throw new TilesMissing('the last tile is missing');
    const finished = { start: 0, end: Math.floor(size / TILE) * TILE };
    const [tree, ...unfinished] = await treesOf(records, [finished, ...levels]);
    made.#tree = tree!;
    made.#unfinished = unfinished.map((tree, level) => scaled(tree, TILE ** level));
    made.#leaves = hashesIn(last.leaves).slice(0, ((size - 1) % TILE) + 1);
    made.#after = last.after;
    made.#position = position;
    return made;
  }

  get size(): number {
    return this.#tree.size + this.#unfinished[0]!.size;
  }

  root(): Hash {
    const whole = this.#tree.copy();
    const rest = this.#unfinished[0]!;
    let left = rest.size;
    for (const peak of rest.peaks) {
      const leaves = 2 ** Math.floor(Math.log2(left));
      whole.append(peak, leaves);
      left -= leaves;
    }
    return whole.root();
  }

  /** The position of the last event. */
  get position(): Position {
    return this.#position;
  }

  /** The last tile: the hashes of its leaves, and the position of the last event before it. */
  tail(): { after: Position; leaves: readonly Hash[] } {
    return { after: this.#after, leaves: [...this.#leaves] };
  }

  append(leaf: Hash, position: Position): void {
    if (this.#leaves.length === TILE) {
      this.#after = this.#position;
      this.#leaves = [];
    }
    this.#leaves.push(leaf);
    this.#position = position;
    let root = leaf;
    for (let level = 1; ; level += 1) {
      const tile = (this.#unfinished[level - 1] ??= new Tree());
      tile.append(root);
      if (tile.size < TILE) return;
      root = tile.root();
      this.#unfinished[level - 1] = new Tree();
      if (level === 1) this.#tree.append(root, TILE);
      const leaves = level === 1 ? Buffer.concat(this.#leaves) : null;
      this.#finished.push({ level, index: this.size / TILE ** level - 1, root, position, leaves });
    }
  }

  /** Returns the tiles that were finished since the last call, and the unfinished one of level 1. */
  takeTiles(): Tile[] {
    const tiles = this.#finished;
    this.#finished = [];
    if (this.#leaves.length === 0 || this.#leaves.length === TILE) return tiles;
    const index = Math.floor(this.size / TILE);
    return [
      ...tiles,
      { level: 1, index, root: null, position: this.#position, leaves: Buffer.concat(this.#leaves) },
    ];
  }
}

/** Returns the tree with its subtrees of `leaves` leaves as leaves. */
const scaled = (tree: Tree, leaves: number): Tree => new Tree(tree.size / leaves, tree.peaks);
