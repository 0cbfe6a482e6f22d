import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import type { EventStore, Position, StoredEvent } from '../events/event-store.ts';
import { type CheckpointStore, CheckpointsDamaged } from './checkpoint-store.ts';
import {
  Checkpoint,
  type TrustedKeys,
  hashOf,
  orderFault,
  positionOf,
  rootOf,
  signatureFault,
} from './checkpoint.ts';
import { leafOf } from './leaf.ts';
import { type Hash, Tree } from './merkle.ts';
import { type SealRecords, TILE, hashesIn } from './tiles.ts';

/** What a verification has found to hold: the next one can go on from there. */
export const Verified = z.strictObject({
  checkpoint: Checkpoint,
  /** The peaks of its tree, from left to right. */
  peaks: z.array(z.string()),
});
export type Verified = z.infer<typeof Verified>;

/** Something does not hold. */
export class NotVerified extends Error {
  override readonly name = 'NotVerified';
  /** The first position that does not hold, as far as it can be told. */
  readonly position: Position;

  constructor(reason: string, position: Position) {
    super(reason);
    this.position = position;
  }
}

const PAGE = 4_096;
/** Number of events that are checked between two looks at what has arrived. */
const SLICE = 128;

export interface VerifySettings {
  store: Pick<EventStore, 'readStored' | 'head'>;
  checkpoints: Pick<CheckpointStore, 'all'>;
  keys: TrustedKeys;
  /** What the sealer keeps, to find the very event that has changed. Nothing is trusted in it. */
  records: Pick<SealRecords, 'head' | 'tile'>;
  /** True if positions are counted without gaps, as on PostgreSQL. */
  isGapless: boolean;
  /** What was verified before: everything up to there is taken as it was then. */
  since?: Verified | undefined;
  /** Called with the last position that was read. */
  onStep?: (position: Position) => void;
}

export interface Verification {
  /** Undefined without checkpoints. */
  verified: Verified | undefined;
  checkpoints: number;
  /** Number of events that were read and hold. */
  events: number;
  /** Number of events after the last checkpoint, which nothing vouches for. */
  unsealed: number;
}

/**
 * Reads the log and all checkpoints, and compares them: each checkpoint is signed with a trusted key and names the one
 * before, and the log has its root at its size. Rejects with `NotVerified` at the first that does not hold.
 */
export async function verify(settings: VerifySettings): Promise<Verification> {
  const chain = signedChain(settings);
  try {
    return await compare(settings, chain);
  } finally {
    // Closes what it reads from.
    await chain.return(undefined);
  }
}

async function compare(settings: VerifySettings, chain: AsyncIterator<Checkpoint>): Promise<Verification> {
  const { store, since, isGapless, onStep = () => {} } = settings;
  const head = await store.head();
  let next = await nextOf(chain);
  let last = since?.checkpoint;
  const tree = since ? treeOf(since) : new Tree();
  const first = tree.size;
  let checkpoints = 0;
  /** The tree at the last checkpoint. */
  let base = tree.copy();
  let position = last ? positionOf(last) : 0;

  const changeBefore = (reached: Checkpoint) =>
    firstChange(settings, { base, next: reached, after: last ? positionOf(last) : 0 });

  for await (const page of pagesOf(store, position)) {
    for (const [n, event] of page.entries()) {
      // The next page is taken in meanwhile; otherwise its sender would wait.
      if (n % SLICE === SLICE - 1) await turn();
      if (isGapless && event.position !== position + 1)
        throw new NotVerified('there is no event at this position', position + 1);
      tree.append(leafOf(event));
      position = event.position;
      if (!next || tree.size < next.size) continue;
      if (!tree.root().equals(rootOf(next)) || position !== positionOf(next)) throw await changeBefore(next);
      checkpoints += 1;
      last = next;
      base = tree.copy();
      next = await nextOf(chain);
    }
    onStep(position);
  }
  if (next) throw await changeBefore(next);
  if (position < head) throw new NotVerified('events are missing at the end of the log', position);
  const sealed = base.size;
  return {
    verified: last && {
      checkpoint: last,
      peaks: base.peaks.map((peak) => peak.toString('base64url')),
    },
    checkpoints,
    events: tree.size - first,
    unsealed: tree.size - sealed,
  };
}

async function nextOf(chain: AsyncIterator<Checkpoint>): Promise<Checkpoint | undefined> {
  const { done, value } = await chain.next();
  return done ? undefined : value;
}

/** Returns the tree of what was verified before. Throws `NotVerified` when it is not the tree of its checkpoint. */
function treeOf({ checkpoint, peaks }: Verified): Tree {
  try {
    const tree = new Tree(
      checkpoint.size,
      peaks.map((peak) => Buffer.from(peak, 'base64url')),
    );
    if (tree.root().equals(rootOf(checkpoint))) return tree;
  } catch {
    // Falls through: the number of peaks is wrong.
  }
  throw new NotVerified('what was verified before does not fit together: its file was edited', 0);
}

/** Yields the pages of the log. The next one is read while this one is checked. */
async function* pagesOf(
  store: Pick<EventStore, 'readStored'>,
  after: Position,
): AsyncGenerator<StoredEvent[]> {
  let page = await store.readStored({ after, limit: PAGE });
  while (page.length > 0) {
    const following = store.readStored({ after: page.at(-1)!.position, limit: PAGE });
    following.catch(() => {});
    yield page;
    page = await following;
  }
}

/**
 * Yields the checkpoints after `since`, in order and with good signatures. What was signed last must be among them, or
 * follow the last of them: a crash may have kept it from its place. Throws `NotVerified`.
 */
async function* signedChain({
  checkpoints,
  keys,
  records,
  since,
}: VerifySettings): AsyncGenerator<Checkpoint> {
  // Read first: the sealer goes on meanwhile.
  const signed = await records.head();
  let last = since?.checkpoint;
  let isSignedMet = signed === undefined;
  let isSinceMet = last === undefined;

  const checked = (checkpoint: Checkpoint) => {
    const fault = orderFault(last, checkpoint) ?? signatureFault(checkpoint, keys);
    if (fault) throw new NotVerified(fault, positionOf(last ?? checkpoint));
    last = checkpoint;
    isSignedMet ||= hashOf(checkpoint) === hashOf(signed!);
    return checkpoint;
  };

  try {
    for await (const checkpoint of checkpoints.all()) {
      if (!isSinceMet) {
        // Everything up to there was verified before; it only has to be there still.
        isSinceMet = hashOf(checkpoint) === hashOf(last!);
        if (isSinceMet) isSignedMet ||= hashOf(checkpoint) === hashOf(signed!);
        else if (checkpoint.size >= last!.size) break;
        continue;
      }
      // A process that was late wrote the last one twice.
      if (last && hashOf(checkpoint) === hashOf(last)) continue;
      yield checked(checkpoint);
    }
  } catch (error) {
    if (!(error instanceof CheckpointsDamaged)) throw error;
    throw new NotVerified(error.message, last ? positionOf(last) : 0);
  }
  if (!isSinceMet)
    throw new NotVerified(
      `the checkpoint of ${last!.size} events, which was verified before, is gone`,
      positionOf(last!),
    );
  if (isSignedMet) return;
  if (signed!.previous === (last ? hashOf(last) : null)) yield checked(signed!);
  else
    throw new NotVerified(
      `the checkpoints end at ${last?.size ?? 0} events, but ${signed!.size} were sealed: some were removed or replaced`,
      last ? positionOf(last) : 0,
    );
}

/**
 * Returns the fault of a log that does not lead to a checkpoint, from the events after the one before. If the hashes of the
 * leaves that the sealer kept lead there themselves, they tell which event is the first that has changed.
 */
async function firstChange(
  { store, records }: Pick<VerifySettings, 'store' | 'records'>,
  { base, next, after }: { base: Tree; next: Checkpoint; after: Position },
): Promise<NotVerified> {
  const { size } = next;
  const kept: Hash[] = [];
  for (let index = Math.floor(base.size / TILE); index * TILE < size; index += 1)
    kept.push(...hashesIn((await records.tile(index))?.leaves ?? Buffer.alloc(0)));
  const from = base.size % TILE;
  const leaves = kept.slice(from, from + size - base.size);
  const tree = base.copy();
  for (const leaf of leaves) tree.append(leaf);
  if (tree.size !== size || !tree.root().equals(rootOf(next)))
    return new NotVerified(`an event after position ${after} has changed, or is missing`, after);
  let [place, position] = [0, after];
  for await (const page of pagesOf(store, after))
    for (const event of page) {
      if (place === leaves.length) return new NotVerified('the checkpoint names another position', position);
      position = event.position;
      if (!leafOf(event).equals(leaves[place]!))
        return new NotVerified('the event is not the one that was sealed', position);
      place += 1;
    }
  return new NotVerified('sealed events are missing at the end of the log', position);
}
