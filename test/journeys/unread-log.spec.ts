import { rm } from 'node:fs/promises';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** docs/promises.md no. 7: no call takes longer. */
const DEADLINE_MS = 5_000;
/** Requests between two looks at the metrics, at most so often: far more than what a pipe and its queue hold. */
const REQUESTS = 200;
/** Of them, so many at once. */
const AT_ONCE = 20;

describe('a server whose log nobody reads', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    // Refusals of callers who go on are held back.
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

  test('answers every call, and counts the lines that are lost', async () => {
    server.stopReading();
    expect(await lostLines()).toBe(0);
    await until(
      async () => {
        // Each of them is a line.
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

  test('stops in order', async () => {
    expect(await server.stop()).toMatchObject({ code: 0, signal: null });
  }, 60_000);
});
