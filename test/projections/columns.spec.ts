import { texts } from '../../src/kit/array-parameters.ts';
import { column, statementAbout } from '../../src/projections/columns.ts';

interface Person {
  id: string;
  name: string | null;
  groups: string[];
  age: number | null;
}

const greet = statementAbout<Person>({
  name: 'greet',
  columns: {
    id: column.uuid(({ id }) => id),
    name: column.text(({ name }) => name),
    groups: column.ids(({ groups }) => groups),
    age: column.bigint(({ age }) => age),
  },
  text: ({ names, batch }) => `insert into people (${names}) select * from ${batch}`,
});
const ada = { id: 'a', name: 'Ada "the \\ Countess"', groups: ['g', 'h'], age: 36 };
const bob = { id: 'b', name: null, groups: [], age: null };

describe('a batch statement', () => {
  test('has a numbered parameter for each column, whose value is an array with an element for each row', () =>
    expect(greet([ada, bob])).toEqual([
      {
        name: 'greet',
        text:
          'insert into people (id, name, groups, age) ' +
          'select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) b (id, name, groups, age)',
        values: ['{a,b}', texts([ada.name, null]), texts(['{g,h}', '{}']), '{36,NULL}'],
      },
    ]));

  test('has the same text for every batch, so that it is prepared once', () =>
    expect(greet([ada])[0]!.text).toBe(greet([ada, bob])[0]!.text));

  test('is omitted when there are no rows', () => expect(greet([])).toEqual([]));

  test('sends text in the binary form of arrays, with its length in bytes and -1 for a null', () => {
    const array = texts(['é"', null, '']);
    const words = [0, 4, 8, 12, 16, 20, 27, 31].map((at) => array.readInt32BE(at));
    expect(words).toEqual([1, 1, 25, 3, 1, 3, -1, 0]);
    expect(array.toString('utf8', 24, 27)).toBe('é"');
    expect(array.length).toBe(35);
  });

  test('casts what is sent as text but is of another type', () => {
    const find = statementAbout<Person>({
      name: 'find',
      columns: { id: column.uuid(({ id }) => id), terms: column.tsvector(({ name }) => name) },
      text: ({ names, batch }) => `insert into words (${names}) select * from ${batch}`,
    });
    expect(find([ada])[0]!.text).toBe(
      'insert into words (id, terms) ' +
        'select * from (select id, terms::tsvector from unnest($1::uuid[], $2::text[]) b (id, terms)) b',
    );
  });
});
