import { readinessOf } from '../../src/http/readiness.ts';

describe('readiness', () => {
  const fine = () => undefined;

  test('names every part', async () => {
    expect(await readinessOf({ database: fine }, { scanner: fine })).toStrictEqual({
      ready: true,
      dependencies: { database: { status: 'ok' }, scanner: { status: 'ok' } },
    });
  });

  test('ends with a part that the node cannot serve without', async () => {
    const refuse = () => Promise.reject(new Error('a secret address'));
    expect(await readinessOf({ database: refuse })).toStrictEqual({
      ready: false,
      dependencies: { database: { status: 'failing', detail: 'does not answer' } },
    });
  });

  test('outlives one that only makes some work wait', async () => {
    expect(await readinessOf({ database: fine }, { scanner: () => 'clamd is down' })).toStrictEqual({
      ready: true,
      dependencies: { database: { status: 'ok' }, scanner: { status: 'degraded', detail: 'clamd is down' } },
    });
  });

  test('does not wait for a part that hangs', async () => {
    const { dependencies } = await readinessOf({}, { storage: () => new Promise(() => {}) });
    expect(dependencies['storage']).toStrictEqual({ status: 'degraded', detail: 'does not answer' });
  });
});
