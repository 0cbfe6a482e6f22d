import { rm } from 'node:fs/promises';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** No call takes longer, see docs/promises.md no. 7. */
const DEADLINE_MS = 5_000;
/** Requests between two checks of the metrics. Each logs a line. */
const REQUESTS = 200;
/** How many of them run at once. */
const AT_ONCE = 20;

describe('a server whose log output is not read', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    // Otherwise the refusals of a persistent caller would be delayed.
    const env = { ANONYMOUS_REQUESTS_PER_MINUTE: '100000000' };
    server = await startServer({ readyWithinMs: 90_000, env });
  }, 120_000);
  afterAll(async () => {
    await server.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  const call = async (path: string) => {
    const response = await fetch(server.url + path, { signal: AbortSignal.timeout(DEADLINE_MS) });
    return { status: response.status, text: await response.text() };
  };
  const lostLines = async () =>
    Number(/^chat_log_lines_dropped_total (\d+)$/m.exec((await call('/metrics')).text)?.[1]);

  test('answers every call and counts the lost lines', async () => {
    server.stopReading();
    expect(await lostLines()).toBe(0);
    await until(
      async () => {
        // Each request logs a line.
        for (let n = 0; n < REQUESTS; n += AT_ONCE) {
          const calls = Array.from({ length: AT_ONCE }, () => call('/v1/groups'));
          for (const { status } of await Promise.all(calls)) expect(status).toBeLessThan(500);
        }
        return (await lostLines()) > 0;
      },
      'lines to be lost',
      60_000,
    );
    expect((await call('/health/live')).status).toBe(200);
    expect((await call('/health/ready')).status).toBe(200);
  }, 90_000);

  test('stops gracefully', async () => {
    expect(await server.stop()).toMatchObject({ code: 0, signal: null });
  }, 60_000);
});
