import type { Logger } from 'pino';
import type { EventStore, Position } from '../events/event-store.ts';
import { backOffMs, sleep } from '../kit/back-off.ts';
import { reasonOf } from '../kit/reason.ts';
import { type CheckpointStore, CheckpointsDamaged, NotNext } from './checkpoint-store.ts';
import {
  type Checkpoint,
  type SealKey,
  hashOf,
  positionOf,
  rootOf,
  signatureFault,
  trustedKeys,
} from './checkpoint.ts';
import { type ReadLeaves, leafOf } from './leaf.ts';
import type { Hash } from './merkle.ts';
import { type SealRecords, TiledTree, TilesMissing } from './tiles.ts';

/** The log, or the place of the checkpoints, is no longer what was sealed. Nothing is signed any more. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
  /** The first position that is known to differ. */
  readonly position: Position | undefined;

  constructor(reason: string, position?: Position) {
    super(reason);
    this.position = position;
  }
}

export interface SealerSettings {
  store: Pick<EventStore, 'readStored'>;
  /** Reads what is to be sealed. What was sealed last is read from `store`, and compared. */
  readLeaves: ReadLeaves;
  records: SealRecords;
  checkpoints: CheckpointStore;
  key: SealKey;
  log: Logger;
  /** Called with the number of sealed events, whenever it changes. */
  onSealed?: (size: number) => void;
  /** Called when log and checkpoints do not fit together. */
  onBroken?: () => void;
  now?: () => Date;
  /** Time between two looks at the log. */
  lookMs?: number;
  /** New events are sealed after this time, or when there are this many. */
  sealMs?: number;
  sealEvents?: number;
}

const PAGE = 500;
/** Number of events that one checkpoint adds at most: the tiles of as many are held in memory. */
const MOST_EVENTS = 65_536;
const RETRY = { first: 1_000, most: 30_000 };
/** A sealer that has failed for this long is reported. */
const PATIENCE = 3;

/** The end of what is sealed, and the events that follow it. */
interface Sealing {
  head: Checkpoint | undefined;
  /** The tree of the head and the events read since. */
  tree: TiledTree;
  /** The last tile of the sealed events. */
  tail: { after: Position; leaves: readonly Hash[] };
}

/**
 * Resolves with the last checkpoint, and with the one that the database knows as the last. What a crash kept from its
 * place is brought there. Rejects with `SealBroken` where database and place do not fit together.
 */
async function lastCheckpoints(
  settings: SealerSettings,
): Promise<{ signed: Checkpoint | undefined; head: Checkpoint | undefined }> {
  const { records, checkpoints, key } = settings;
  const signed = await records.head();
  const placed = await checkpoints.last();
  // Another process went on meanwhile.
  if (!isSame(signed, await records.head())) return lastCheckpoints(settings);
  if (isSame(signed, placed)) return { signed, head: signed };
  const ends = placed?.size ?? 0;
  if (placed && ends > (signed?.size ?? 0)) {
    // The database was restored, or does not know this place yet.
    const fault = signatureFault(placed, trustedKeys([key.jwk]));
    if (fault) throw new SealBroken(fault, positionOf(placed));
    return { signed, head: placed };
  }
  if ((placed ? hashOf(placed) : null) !== signed?.previous)
    throw new SealBroken(
      `the checkpoints end at ${ends} events, but ${signed?.size} were sealed: some were removed or replaced`,
    );
  await records.publish(checkpoints.append);
  return { signed, head: signed };
}

/** Resolves with where sealing goes on. Rejects with `SealBroken` where the log is not that of the last checkpoint. */
async function resume(settings: SealerSettings): Promise<Sealing> {
  const { records } = settings;
  const { signed, head } = await lastCheckpoints(settings);
  if (!head) return { head, tree: new TiledTree(), tail: { after: 0, leaves: [] } };
  const tree = (isSame(signed, head) && (await restore(records, head))) || (await reread(settings, head));
  if (!isSame(signed, head)) {
    const step = { previous: signed, next: head, tiles: tree.takeTiles() };
    if (!(await records.advance(step))) return resume(settings);
  }
  const sealing = { head, tree, tail: tree.tail() };
  await requireSameTail(settings, sealing);
  return sealing;
}

/** Makes the tree of a checkpoint anew from the log. Rejects with `SealBroken` when it is another one. */
async function reread({ readLeaves, records, log }: SealerSettings, head: Checkpoint): Promise<TiledTree> {
  const { size } = head;
  log.warn({ size }, 'the tiles of the sealed log are not there; making them anew from the log');
  const tree = new TiledTree();
  while (tree.size < size) {
    const limit = Math.min(PAGE, size - tree.size);
    const page = await readLeaves({ after: tree.position, limit });
    for (const { leaf, position } of page) tree.append(leaf, position);
    if (page.length < limit) break;
    if (tree.size % MOST_EVENTS < PAGE) await records.save(tree.takeTiles());
  }
  const isTheSame = tree.size === size && tree.root().equals(rootOf(head));
  if (!isTheSame || tree.position !== positionOf(head))
    throw new SealBroken(`the log is not the one of the checkpoint of ${size} events`);
  await records.save(tree.takeTiles());
  return tree;
}

const isSame = (a: Checkpoint | undefined, b: Checkpoint | undefined): boolean =>
  (a && hashOf(a)) === (b && hashOf(b));

/** Resolves with the tree of a checkpoint, made of tiles; undefined when they do not lead to its root. */
async function restore(records: SealRecords, head: Checkpoint): Promise<TiledTree | undefined> {
  try {
    const tree = await TiledTree.restore(records, { size: head.size, position: positionOf(head) });
    return tree.root().equals(rootOf(head)) ? tree : undefined;
  } catch (error) {
    if (error instanceof TilesMissing) return undefined;
    throw error;
  }
}

/** Reads the last sealed events again. Rejects with `SealBroken` at the first one that is not what was sealed. */
async function requireSameTail(
  { store }: Pick<SealerSettings, 'store'>,
  { head, tail: { after, leaves } }: Sealing,
): Promise<void> {
  if (!head) return;
  const events = await store.readStored({ after, limit: leaves.length });
  for (const [n, leaf] of leaves.entries()) {
    const event = events[n];
    if (!event)
      throw new SealBroken(
        'sealed events are gone from the end of the log',
        events.at(-1)?.position ?? after,
      );
    if (!leafOf(event).equals(leaf)) throw new SealBroken('a sealed event has changed', event.position);
  }
  if (events.at(-1)?.position !== positionOf(head))
    throw new SealBroken('the last sealed event has moved', positionOf(head));
}

/** Reads what follows in the log, at most as much as one checkpoint takes. Resolves with true at the end of the log. */
async function readOn(
  { readLeaves }: Pick<SealerSettings, 'readLeaves'>,
  { head, tree }: Sealing,
): Promise<boolean> {
  const most = (head?.size ?? 0) + MOST_EVENTS;
  while (tree.size < most) {
    const page = await readLeaves({ after: tree.position, limit: PAGE });
    for (const { leaf, position } of page) tree.append(leaf, position);
    if (page.length < PAGE) return true;
  }
  return false;
}

/**
 * Signs a checkpoint of all events read so far, unless there are none. The database is told first, and only one process
 * can tell it what follows a checkpoint: so none signs a fork. Resolves with false when another process did.
 */
async function sealUp(settings: SealerSettings, sealing: Sealing): Promise<boolean> {
  const { records, checkpoints, key, now = () => new Date() } = settings;
  const { head, tree } = sealing;
  if (tree.size === (head?.size ?? 0)) return true;
  await requireSameTail(settings, sealing);
  const next = key.sign({
    size: tree.size,
    root: tree.root().toString('base64url'),
    previous: head ? hashOf(head) : null,
    position: String(tree.position),
    at: now().toISOString(),
  });
  if (!(await records.advance({ previous: head, next, tiles: tree.takeTiles() }))) return false;
  await records.publish(checkpoints.append);
  sealing.head = next;
  sealing.tail = tree.tail();
  settings.onSealed?.(next.size);
  return true;
}

/** Turns what only tampering explains into `SealBroken`. */
const asBroken = (error: unknown): unknown =>
  error instanceof NotNext || error instanceof CheckpointsDamaged ? new SealBroken(error.message) : error;

/**
 * Seals the log up to its head, beside a running server or without one. Resolves with the last checkpoint; undefined for
 * an empty log. Rejects with `SealBroken`. `onStep` is called with the number of sealed events.
 */
export async function sealToHead(settings: SealerSettings): Promise<Checkpoint | undefined> {
  try {
    let sealing = await resume(settings);
    for (let isAtEnd = false; !isAtEnd;) {
      isAtEnd = await readOn(settings, sealing);
      if (await sealUp(settings, sealing)) continue;
      sealing = await resume(settings);
      isAtEnd = false;
    }
    return sealing.head;
  } catch (error) {
    throw asBroken(error);
  }
}

export interface Sealer {
  /** Returns why nothing is sealed; undefined while all is well. */
  failure(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts to seal the log, apart from the appends. A failure is retried; `SealBroken` ends the work, because to sign a
 * changed log would hide the change.
 */
export function startSealer(settings: SealerSettings): Sealer {
  const { log, lookMs = 1_000, sealMs = 10_000, sealEvents = 1_000 } = settings;
  const stopping = new AbortController();
  const { signal } = stopping;
  let broken: SealBroken | undefined;
  let failures = 0;
  let fault: string | undefined;

  async function work(): Promise<void> {
    const sealing = await resume(settings);
    settings.onSealed?.(sealing.head?.size ?? 0);
    // The first new events are sealed at once.
    let sealedAt = -Infinity;
    while (!signal.aborted) {
      const isAtEnd = await readOn(settings, sealing);
      const waiting = sealing.tree.size - (sealing.head?.size ?? 0);
      if (waiting >= sealEvents || (waiting > 0 && performance.now() - sealedAt >= sealMs)) {
        if (!(await sealUp(settings, sealing))) return;
        sealedAt = performance.now();
      }
      [failures, fault] = [0, undefined];
      await sleep(isAtEnd ? lookMs : 0, signal, { ref: false });
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted)
      try {
        await work();
        await sleep(lookMs, signal, { ref: false });
      } catch (cause) {
        const error = asBroken(cause);
        if (error instanceof SealBroken) {
          broken = error;
          settings.onBroken?.();
          const { message: reason, position } = error;
          log.fatal(
            { reason, position },
            'THE LOG IS NOT WHAT WAS SEALED; nothing is signed until this is resolved',
          );
          return;
        }
        failures += 1;
        fault = reasonOf(error);
        log.warn({ err: error }, 'could not seal the log; trying again');
        await sleep(backOffMs(RETRY, failures), signal, { ref: false });
      }
  }

  const ended = run();
  return {
    failure() {
      if (!broken) return failures < PATIENCE ? undefined : `cannot seal the log: ${fault}`;
      const { message, position } = broken;
      return position === undefined ? message : `${message}, from position ${position} at the latest`;
    },
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
