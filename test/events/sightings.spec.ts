import { type LogState, type Sighting, isLost, parseSighting } from '../../src/events/sightings.ts';

const first = { epoch: 'first', beganAt: 1_000 };
const second = { epoch: 'second', beganAt: 2_000 };
const other = (beganAt: number) => ({ epoch: 'other', beganAt });

describe('What was seen of a log', () => {
  test.each<[string, Sighting, LogState['epochs'], boolean]>([
    ['is there up to the end', { ...first, position: 7 }, [first], false],
    ['is lost beyond the end', { ...first, position: 8 }, [first], true],
    ['is out of date in an epoch that has ended', { ...first, position: 8 }, [second, first], false],
    [
      'is lost with an epoch that began later than the present one',
      { ...second, position: 1 },
      [first],
      true,
    ],
    ['is lost with an unknown epoch as old as the database', { ...other(1_000), position: 1 }, [first], true],
    [
      'is out of date in an unknown epoch from before the present one',
      { ...other(1_999), position: 8 },
      [second, first],
      false,
    ],
  ])('%s', (_, seen, epochs, expected) => {
    expect(isLost(seen, { epochs, end: 7 })).toBe(expected);
  });

  test('is nothing where something else is kept', () => {
    expect(parseSighting(JSON.stringify({ ...first, position: 7 }))).toEqual({ ...first, position: 7 });
    for (const text of ['', '{', 'null', '{"epoch":"first"}', JSON.stringify({ ...first, position: '7' })])
      expect(parseSighting(text)).toBeUndefined();
  });
});
