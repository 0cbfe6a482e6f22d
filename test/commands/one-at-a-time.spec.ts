import { type Stream, chatGroupStream } from '../../src/events/streams.ts';
import { createOneAtATime } from '../../src/commands/one-at-a-time.ts';
import { groupId, otherGroupId } from '../support/language/example-events.ts';

const stream = chatGroupStream(groupId);
const other = chatGroupStream(otherGroupId);

/** Work that reports when it begins, and ends on request. */
function piece(name: string, diary: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = async () => {
    diary.push(`${name} begins`);
    const result = await promise;
    diary.push(`${name} ends`);
    return result;
  };
  return { work, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('oneAtATime', () => {
  test('runs the work on one stream in order, one at a time', async () => {
    const oneAtATime = createOneAtATime();
    const diary: string[] = [];
    const [first, second, third] = [piece('first', diary), piece('second', diary), piece('third', diary)];
    const all = [first, second, third].map(({ work }) => oneAtATime(stream, work));
    third.end();
    second.end();
    await settled();
    expect(diary).toStrictEqual(['first begins']);
    first.end();
    expect(await Promise.all(all)).toStrictEqual(['first', 'second', 'third']);
    expect(diary).toStrictEqual([
      'first begins',
      'first ends',
      'second begins',
      'second ends',
      'third begins',
      'third ends',
    ]);
  });

  test('does not begin work whose turn comes too late', async () => {
    const oneAtATime = createOneAtATime(new Map(), -1);
    const diary: string[] = [];
    const [first, late] = [piece('first', diary), piece('late', diary)];
    const turns = [oneAtATime(stream, first.work), oneAtATime(stream, late.work)];
    first.end();
    const outcomes = await Promise.allSettled(turns);
    expect(outcomes[1]).toMatchObject({ reason: { name: 'EventStoreUnavailable' } });
    expect(diary).not.toContain('late begins');
  });

  test('lets streams run independently', async () => {
    const oneAtATime = createOneAtATime();
    const diary: string[] = [];
    const [slow, quick] = [piece('slow', diary), piece('quick', diary)];
    const waiting = oneAtATime(stream, slow.work);
    quick.end();
    expect(await oneAtATime(other, quick.work)).toBe('quick');
    slow.end();
    await waiting;
  });

  test('rejects failed work for its own caller only', async () => {
    const oneAtATime = createOneAtATime();
    const [bad, good] = [piece('bad', []), piece('good', [])];
    const failing = oneAtATime(stream, bad.work);
    const next = oneAtATime(stream, good.work);
    bad.fail();
    good.end();
    await expect(failing).rejects.toThrow('bad');
    expect(await next).toBe('good');
  });

  test('continues after work that throws synchronously', async () => {
    const oneAtATime = createOneAtATime();
    const failing = oneAtATime(stream, () => {
      throw new Error('at once');
    });
    await expect(failing).rejects.toThrow('at once');
    expect(await oneAtATime(stream, async () => 'next')).toBe('next');
  });

  test('forgets an idle stream', async () => {
    const last = new Map<Stream, Promise<unknown>>();
    const oneAtATime = createOneAtATime(last);
    const all = [stream, stream, other].map((each) => oneAtATime(each, async () => each));
    expect([...last.keys()]).toStrictEqual([stream, other]);
    await Promise.all(all);
    expect(last).toStrictEqual(new Map());
  });
});
