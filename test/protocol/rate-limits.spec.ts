import { readFile } from 'node:fs/promises';
import {
  type Cost,
  DEFAULT_COSTS,
  SYNC_GROUPS_PER_POINT,
  exceptions,
} from '../../src/protocol/rate-limits.ts';
import { clientEvents } from '../../src/realtime/connection/protocol.ts';
import { httpStage } from '../support/stages/http-stage.ts';

/** The lowest value of a budget that an operator may set. */
const LOWEST_BUDGET = 100;

const takes = (cost: Cost) => (typeof cost === 'number' ? `${cost}` : `one of \`${cost}\``);

/** Returns the rows of the table after a heading. */
function tableAfter(document: string, heading: string): string[][] {
  const section = document.split(`${heading}\n`)[1]!.split('\n#')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the costs of calls', () => {
  test('name only existing operations and events', async () => {
    const operations = new Set<string>(Object.keys(clientEvents));
    const stage = await httpStage({
      onRoute: ({ schema }) => void operations.add(schema?.operationId ?? ''),
    });
    await stage.close();
    expect(exceptions.map(([name]) => name).filter((name) => !operations.has(name))).toStrictEqual([]);
  });

  test('never exceed the lowest budget that can be set', () => {
    const points = [...exceptions.map(([, cost]) => cost), ...Object.values(DEFAULT_COSTS)];
    for (const cost of points) if (typeof cost === 'number') expect(cost).toBeLessThanOrEqual(LOWEST_BUDGET);
  });

  test('match the documentation', async () => {
    const rest = await readFile(new URL('../../docs/rest.md', import.meta.url), 'utf8');
    const { query, search, command, socketEvent, connection, badToken } = DEFAULT_COSTS;
    expect(tableAfter(rest, '### What a call takes')).toStrictEqual([
      ['any query', takes(query)],
      ['a query with `q`', takes(search)],
      ['any other request', takes(command)],
      ['any socket event', takes(socketEvent)],
      ['connecting a socket', takes(connection)],
      ['a request or a connection without a valid token', takes(badToken)],
      ...exceptions.map(([name, cost]) => [`\`${name}\``, takes(cost)]),
    ]);
    expect(rest).toContain(`one point more for each ${SYNC_GROUPS_PER_POINT} groups`);
  });
});
