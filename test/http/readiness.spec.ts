import { type Checks, createReadiness } from '../../src/http/readiness.ts';

describe('readiness', () => {
  const fine = () => undefined;
  const readinessOf = (needed: Checks, useful: Checks = {}) =>
    createReadiness({ needed: () => needed, useful: () => useful, changed: () => {} })();

  test('names every dependency', async () => {
    expect(await readinessOf({ database: fine }, { scanner: fine })).toStrictEqual({
      ready: true,
      dependencies: { database: { status: 'ok' }, scanner: { status: 'ok' } },
    });
  });

  test('is lost with a dependency that the node cannot serve without', async () => {
    const refuse = () => Promise.reject(new Error('connection refused'));
    expect(await readinessOf({ database: refuse })).toStrictEqual({
      ready: false,
      dependencies: { database: { status: 'down', detail: 'connection refused' } },
    });
  });

  test('survives the failure of a dependency that only delays some work', async () => {
    expect(await readinessOf({ database: fine }, { scanner: () => 'clamd is down' })).toStrictEqual({
      ready: true,
      dependencies: { database: { status: 'ok' }, scanner: { status: 'degraded', detail: 'clamd is down' } },
    });
  });

  test('does not wait for a check that hangs', async () => {
    const { dependencies } = await readinessOf({}, { storage: () => new Promise(() => {}) });
    expect(dependencies['storage']).toStrictEqual({ status: 'degraded', detail: 'does not answer' });
  });

  test('runs a check that hangs only once for all callers', async () => {
    let asked = 0;
    const hang = () => {
      asked += 1;
      return new Promise<string>(() => {});
    };
    const readiness = createReadiness({
      needed: () => ({ database: hang }),
      useful: () => ({}),
      changed: () => {},
    });
    for (const answers of [await Promise.all([readiness(), readiness()]), [await readiness()]])
      for (const { ready } of answers) expect(ready).toBe(false);
    expect(asked).toBe(1);
  });

  test('reports the failure and the recovery of a dependency once each', async () => {
    const told: string[] = [];
    let failure: string | undefined = 'out of reach';
    const asked = () =>
      createReadiness({
        needed: () => ({ database: () => failure }),
        useful: () => ({ scanner: fine }),
        changed: (name, { status, detail = '' }) => void told.push(`${name} ${status} ${detail}`),
      });
    const readiness = asked();
    await readiness();
    expect(told).toEqual(['database down out of reach']);
    failure = undefined;
    const { ready } = await new Promise<Awaited<ReturnType<typeof readiness>>>((resolve) => {
      const again = setInterval(() => {
        void readiness().then((answer) => {
          if (!answer.ready) return;
          clearInterval(again);
          resolve(answer);
        });
      }, 5);
    });
    expect(ready).toBe(true);
    expect(told).toEqual(['database down out of reach', 'database ok ']);
  });
});
