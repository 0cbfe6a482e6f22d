import { createGate } from '../../../src/adapters/postgres/gate.ts';
import { DatabaseBusy } from '../../../src/adapters/postgres/connection.ts';

describe('a gate', () => {
  const held = () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    return { work: () => promise, end: resolve };
  };

  test('admits a fixed number at once, and the others in order', async () => {
    const gate = createGate({ atOnce: 1, maxWaiting: 10, waitMs: 60_000 }).run;
    const first = held();
    const order: string[] = [];
    const note = (name: string) => async () => void order.push(name);
    const running = gate(first.work);
    const waiting = [gate(note('second')), gate(note('third'))];
    expect(order).toEqual([]);
    first.end('done');
    await expect(running).resolves.toBe('done');
    await Promise.all(waiting);
    expect(order).toEqual(['second', 'third']);
  });

  test('refuses a caller that waits too long, and admits later ones', async () => {
    const gate = createGate({ atOnce: 1, maxWaiting: 10, waitMs: 1 }).run;
    const first = held();
    const running = gate(first.work);
    await expect(gate(async () => 'never')).rejects.toThrow(DatabaseBusy);
    first.end('done');
    await running;
    await expect(gate(async () => 'later')).resolves.toBe('later');
  });

  test('refuses at once when too many are waiting', async () => {
    const gate = createGate({ atOnce: 1, maxWaiting: 1, waitMs: 60_000 }).run;
    const first = held();
    const running = gate(first.work);
    const waiting = gate(async () => 'second');
    await expect(gate(async () => 'third')).rejects.toThrow(DatabaseBusy);
    first.end('done');
    await expect(Promise.all([running, waiting])).resolves.toEqual(['done', 'second']);
  });

  test('is also left by work that fails', async () => {
    const gate = createGate({ atOnce: 1, maxWaiting: 0, waitMs: 1 }).run;
    await expect(gate(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(gate(async () => 'next')).resolves.toBe('next');
  });
});
