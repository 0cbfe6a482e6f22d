import type { Witness } from '../../src/events/sightings.ts';
import { newId } from '../../src/kit/uuids.ts';

const [first, second] = [
  { epoch: 'first', beganAt: 1_000.25 },
  { epoch: 'second', beganAt: 2_000.5 },
];

/** What everything that remembers a log promises. */
export function describeWitness(
  where: string,
  open: () => Promise<{ again(): Witness; close(): Promise<void> }>,
) {
  describe(`what was seen of a log ${where}`, () => {
    let place: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => (place = await open()));
    afterEach(() => place.close());

    test('is nothing at first, and then the last sighting, for every process', async () => {
      const log = newId();
      expect(await place.again().recall(log)).toBeUndefined();
      for (const sighting of [
        { ...first, position: 7 },
        { ...first, position: 9_007_199_254_740_991 },
        { ...second, position: 3 },
      ]) {
        await place.again().note(log, sighting);
        expect(await place.again().recall(log)).toEqual(sighting);
      }
    });

    test('stays where an earlier one comes late', async () => {
      const log = newId();
      await place.again().note(log, { ...first, position: 7 });
      await place.again().note(log, { ...first, position: 5 });
      expect(await place.again().recall(log)).toEqual({ ...first, position: 7 });
      await place.again().note(log, { ...second, position: 3 });
      await place.again().note(log, { ...first, position: 9 });
      expect(await place.again().recall(log)).toEqual({ ...second, position: 3 });
    });

    test('says nothing about another log', async () => {
      await place.again().note(newId(), { ...first, position: 7 });
      expect(await place.again().recall(newId())).toBeUndefined();
    });
  });
}
