import { type Difference, compared, shown } from '../../../web/audit/differences.ts';

const find = (difference: Difference, ...path: string[]): Difference =>
  path.reduce((at, name) => at.parts!.find((part) => part.name === name)!, difference);

describe('What changed in a state', () => {
  test('is nothing between equal ones', () => {
    const state = { status: 'open', members: { ada: 'member' }, list: [1, { id: 'a' }, null] };
    expect(compared('', state, structuredClone(state)).mark).toBe('same');
  });

  test('is marked where it is, and above it', () => {
    const changed = compared('', { a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1, c: 4 }, d: 3 });
    expect(changed.mark).toBe('inside');
    expect(find(changed, 'a').mark).toBe('inside');
    expect(find(changed, 'a', 'c')).toMatchObject({ mark: 'changed', value: 4, was: 2 });
    expect(find(changed, 'a', 'b').mark).toBe('same');
    expect(find(changed, 'd').mark).toBe('same');
  });

  test('is what came and what went', () => {
    const changed = compared('', { ada: 'member', bob: 'member' }, { bob: 'member', eve: 'admin' });
    expect(find(changed, 'ada')).toMatchObject({ mark: 'gone', value: 'member' });
    expect(find(changed, 'eve')).toMatchObject({ mark: 'new', value: 'admin' });
    expect(find(changed, 'bob').mark).toBe('same');
  });

  test('is told of entries of a list by their ids, wherever they are', () => {
    const before = [
      { id: 'a', text: 'A' },
      { id: 'b', text: 'B' },
    ];
    const changed = compared('', before, [
      { id: 'b', text: 'B!' },
      { id: 'c', text: 'C' },
    ]);
    expect(changed.parts!.map(({ name, mark }) => [name, mark])).toEqual([
      ['b', 'inside'],
      ['c', 'new'],
      ['a', 'gone'],
    ]);
  });

  test('is told of texts in a list, and by place where there are two of the same', () => {
    expect(compared('', ['x', 'y'], ['y', 'z']).parts!.map(({ name, mark }) => [name, mark])).toEqual([
      ['y', 'same'],
      ['z', 'new'],
      ['x', 'gone'],
    ]);
    expect(compared('', ['x', 'x'], ['x', 'y']).parts!.map(({ mark }) => mark)).toEqual(['same', 'changed']);
  });

  test('is a change where a value became an object, a list or null', () => {
    expect(compared('', 1, { a: 1 })).toMatchObject({ mark: 'changed', was: 1 });
    expect(compared('', { a: 1 }, null)).toMatchObject({ mark: 'changed', value: null });
    expect(compared('', {}, []).mark).toBe('changed');
  });

  test('takes names that objects have by themselves for what they are', () => {
    const state = JSON.parse('{"__proto__": {"x": 1}, "constructor": "a"}') as unknown;
    expect(shown('', state).parts!.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect(find(compared('', {}, state), 'constructor').mark).toBe('new');
  });
});
