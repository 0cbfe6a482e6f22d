import { readFile } from 'node:fs/promises';

interface Room {
  role: string;
  folders?: string[];
  packages?: string[];
}

const text = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const code = (name: string) => `\`${name}\``;

/** The rows that the table must have, in the order of imports.json: folder, role, what it may import. */
const rowOf = ([folder, { role, folders = [], packages = [] }]: [string, Room]): string[] => [
  code(folder),
  role,
  [folders.map(code).join(', '), packages.join(', ')].filter((part) => part !== '').join(' · ') || 'nothing',
];

test('docs/architecture.md shows the import rules that are enforced', async () => {
  const rooms = JSON.parse(await text('imports.json')) as Record<string, Room>;
  const [, table = ''] = (await text('docs/architecture.md')).split('## Who may import whom');
  const rows = table
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  expect(rows.filter(([folder]) => folder !== code('compose'))).toEqual(Object.entries(rooms).map(rowOf));
});
