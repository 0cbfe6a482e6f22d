import { setImmediate as turn } from 'node:timers/promises';
import { createDirectory } from '../../packages/chat-client/src/directory.ts';
import { until } from '../../tools/until.ts';

describe('a directory', () => {
  test('looks up together what is asked for in one turn, and once', async () => {
    const asked: string[][] = [];
    const people = createDirectory<string>(async (ids) => {
      asked.push(ids);
      return ids.map((id) => [id, id.toUpperCase()]);
    });
    for (const id of ['ada', 'bob', 'ada']) expect(people.get(id)).toBeUndefined();
    await until(() => people.get('bob') === 'BOB');
    expect(people.get('ada')).toBe('ADA');
    expect(asked).toEqual([['ada', 'bob']]);
  });

  test('finds what the server does not know at first, and gives up on what it never knows', async () => {
    const asked: string[][] = [];
    const people = createDirectory<string>(async (ids) => {
      asked.push(ids);
      return ids.filter((id) => id === 'ada' && asked.length > 1).map((id) => [id, 'Ada']);
    });
    people.get('ada');
    people.get('eve');
    await until(() => people.get('ada') === 'Ada', 'Ada', 10_000);
    await until(() => asked.length === 3, 'the last try', 10_000);
    expect(asked).toEqual([['ada', 'eve'], ['ada', 'eve'], ['eve']]);
    people.get('eve');
    await turn();
    expect(asked).toHaveLength(3);
  });

  test('looks again for what changed while it was looked for', async () => {
    const answers: ((status: string) => void)[] = [];
    const files = createDirectory<string>(async ([id]) => [
      [id!, await new Promise<string>((resolve) => answers.push(resolve))],
    ]);
    files.get('cv');
    files.refresh(['unheard of']);
    await turn();
    files.refresh(['cv']);
    await turn();
    expect(answers).toHaveLength(2);
    answers[0]!('scanning');
    answers[1]!('clean');
    await until(() => files.get('cv') === 'clean');
  });
});
