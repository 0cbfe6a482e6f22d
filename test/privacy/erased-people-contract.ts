import { ErasureId, UserId } from '../../src/events/ids.ts';
import { newId } from '../../src/kit/uuids.ts';
import type { ErasedPeople, ErasedPerson } from '../../src/privacy/erased-people.ts';

export const somebody = (): ErasedPerson => ({
  userId: UserId.parse(newId()),
  erasureId: ErasureId.parse(newId()),
});

/** What every place of the list of erased people promises. */
export function describeErasedPeople(
  where: string,
  open: () => Promise<{
    list: ErasedPeople;
    /** Opens the same place like another process. */
    again(): ErasedPeople;
    close(): Promise<void>;
  }>,
): void {
  describe(`the list of erased people ${where}`, () => {
    let place: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => (place = await open()));
    afterEach(() => place.close());
    const sorted = (people: readonly ErasedPerson[]) =>
      people.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));

    test('is empty at first', async () => {
      expect(await place.list.all()).toEqual([]);
    });

    test('has everybody who was added, for every process', async () => {
      const people = [somebody(), somebody(), somebody()];
      for (const person of people) await place.list.add(person);
      for (const list of [place.list, place.again()])
        expect(sorted(await list.all())).toEqual(sorted(people));
    });

    test('has a person once, with the first erasure', async () => {
      const [person, other] = [somebody(), somebody()];
      await place.list.add(person);
      await place.list.add(other);
      await place.list.add(person);
      await place.again().add({ userId: person.userId, erasureId: somebody().erasureId });
      expect(sorted(await place.list.all())).toEqual(sorted([person, other]));
    });

    test('takes a person from two processes at once', async () => {
      const person = somebody();
      const lists = [place.again(), place.again(), place.again()];
      await Promise.all(lists.map((list) => list.add(person)));
      const all = await place.list.all();
      expect(all).toContainEqual(person);
      expect(new Set(all.map(({ userId }) => userId)).size).toBe(1);
    });

    test('keeps hundreds of people', async () => {
      const people = Array.from({ length: 300 }, somebody);
      for (const person of people) await place.list.add(person);
      expect(sorted(await place.again().all())).toEqual(sorted(people));
    });
  });
}
