import { randomBytes } from 'node:crypto';
import type { CheckpointStore } from '../../src/audit/checkpoint-store.ts';
import { type Checkpoint, hashOf } from '../../src/audit/checkpoint.ts';
import { newSealKey } from '../support/stages/seal-stage.ts';

const key = newSealKey();

/** Returns a checkpoint that follows another. */
export const checkpointAfter = (previous: Checkpoint | undefined, size: number): Checkpoint =>
  key.sign({
    size,
    root: randomBytes(32).toString('base64url'),
    previous: previous ? hashOf(previous) : null,
    position: String(size * 3),
    at: '2026-11-29T20:00:00.000Z',
  });

/** Returns a chain of checkpoints of these sizes. */
export const chainOf = (sizes: readonly number[]): Checkpoint[] =>
  sizes.reduce<Checkpoint[]>((chain, size) => [...chain, checkpointAfter(chain.at(-1), size)], []);

/** What every place of checkpoints promises. */
export function describeCheckpointStore(
  where: string,
  open: () => Promise<{
    store: CheckpointStore;
    /** Opens the same place like another process. */
    again(): CheckpointStore;
    close(): Promise<void>;
  }>,
): void {
  describe(`the checkpoints ${where}`, () => {
    let place: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => (place = await open()));
    afterEach(() => place.close());
    const readAll = (store: CheckpointStore) => Array.fromAsync(store.all());

    test('are none at first', async () => {
      expect(await place.store.last()).toBeUndefined();
      expect(await place.store.read({ after: 0, limit: 10 })).toEqual([]);
      expect(await readAll(place.store)).toEqual([]);
    });

    test('are read as they were appended, by every process', async () => {
      const chain = chainOf([1, 5, 6, 1_000, 70_000]);
      for (const checkpoint of chain) await place.store.append(checkpoint);
      for (const store of [place.store, place.again()]) {
        expect(await store.last()).toEqual(chain.at(-1));
        expect(await readAll(store)).toEqual(chain);
        expect(await store.read({ after: 0, limit: 2 })).toEqual(chain.slice(0, 2));
        expect(await store.read({ after: 5, limit: 10 })).toEqual(chain.slice(2));
        expect(await store.read({ after: 4, limit: 1 })).toEqual([chain[1]]);
        expect(await store.read({ after: 70_000, limit: 10 })).toEqual([]);
      }
    });

    test('stay the same when the last one is appended again', async () => {
      const chain = chainOf([3, 4]);
      for (const checkpoint of chain) await place.store.append(checkpoint);
      await place.again().append(chain[1]!);
      expect(await readAll(place.store)).toEqual(chain);
    });

    test('refuse one that does not follow the last', async () => {
      const chain = chainOf([3, 4]);
      await place.store.append(chain[0]!);
      const refused = [
        chainOf([4])[0]!,
        checkpointAfter(chain[0], 2),
        checkpointAfter(undefined, 3),
        checkpointAfter(chain[1], 5),
      ];
      for (const store of [place.store, place.again()])
        for (const checkpoint of refused)
          await expect(store.append(checkpoint)).rejects.toMatchObject({ name: 'NotNext' });
      expect(await readAll(place.store)).toEqual([chain[0]]);
      await place.store.append(chain[1]!);
      expect(await place.again().last()).toEqual(chain[1]);
    });

    test('are found among many', async () => {
      const chain = chainOf(Array.from({ length: 400 }, (_, n) => (n + 1) * 7));
      for (const checkpoint of chain) await place.store.append(checkpoint);
      const store = place.again();
      expect(await store.last()).toEqual(chain.at(-1));
      for (const n of [0, 1, 5, 127, 128, 200, 398, 399])
        expect(await store.read({ after: (n + 1) * 7 - 1, limit: 1 })).toEqual([chain[n]]);
      expect(await readAll(store)).toEqual(chain);
    });
  });
}
