import { LRUCache } from 'lru-cache';
import type { FoldCache, Folded } from '../../commands/aggregate-cache.ts';
import type { Stream } from '../../events/streams.ts';
import { MEMBER_BYTES, bytesOf } from './bytes-of.ts';

/** A chat group of 10 members takes about 2 KiB, one of 100,000 members 15 MiB, a job with a long description 20 KiB. */
const MAX_BYTES = 128 * 1_048_576;
/** Size of a folded stream itself, with its key and the overhead of the cache. */
const ENTRY_BYTES = 512;

/**
 * Creates a cache of the streams used last. It is limited by memory, because clients decide how much a stream
 * holds.
 */
export const createFoldCache = (maxBytes = MAX_BYTES): FoldCache & Pick<LRUCache<Stream, Folded>, 'size'> =>
  new LRUCache<Stream, Folded>({
    maxSize: maxBytes,
    sizeCalculation: ({ state, latest }) => ENTRY_BYTES + latest.size * MEMBER_BYTES + bytesOf(state),
  });
