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
  test('has a numbered parameter for each column, whose value is an array literal with an element for each row', () =>
    expect(greet([ada, bob])).toEqual([
      {
        name: 'greet',
        text:
          'insert into people (id, name, groups, age) ' +
          'select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) b (id, name, groups, age)',
        values: ['{a,b}', '{"Ada \\"the \\\\ Countess\\"",NULL}', '{"{g,h}","{}"}', '{36,NULL}'],
      },
    ]));

  test('has the same text for every batch, so that it is prepared once', () =>
    expect(greet([ada])[0]!.text).toBe(greet([ada, bob])[0]!.text));

  test('is omitted when there are no rows', () => expect(greet([])).toEqual([]));
});
