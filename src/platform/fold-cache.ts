import { isCollection } from 'immutable';
import { LRUCache } from 'lru-cache';
import type { FoldCache, Folded } from '../commands/aggregate-cache.ts';
import type { Stream } from '../events/streams.ts';

/** A chat group of 10 members takes about 2 KiB, one of 100,000 members 15 MiB, a job with a long description 20 KiB. */
const MAX_BYTES = 128 * 1_048_576;
/** Of a folded stream itself, with its key and what the cache keeps of it. */
const ENTRY_BYTES = 512;
const VALUE_BYTES = 16;
/** Of an id with a word in a persistent map. */
const MEMBER_BYTES = 150;

/** Keeps the streams used last, as many as there is memory for: clients decide how much a stream holds. */
export const createFoldCache = (maxBytes = MAX_BYTES): FoldCache & Pick<LRUCache<Stream, Folded>, 'size'> =>
  new LRUCache<Stream, Folded>({
    maxSize: maxBytes,
    sizeCalculation: ({ state, latest }) => ENTRY_BYTES + latest.size * MEMBER_BYTES + bytesOf(state),
  });

/** About how much memory a state takes. What is in a persistent collection is not looked at: there may be much of it. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (isCollection(value)) return VALUE_BYTES + (value as unknown as { size: number }).size * MEMBER_BYTES;
  return Object.values(value).reduce<number>(
    (bytes, part) => bytes + VALUE_BYTES + bytesOf(part),
    VALUE_BYTES,
  );
}
