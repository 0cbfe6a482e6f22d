import { pino } from 'pino';
import { closers } from '../../src/kit/closers.ts';

const log = pino({ level: 'silent' });

describe('closing', () => {
  test('runs in reverse order, once, and waits for each', async () => {
    const { add, closeAll } = closers(log);
    const closed: string[] = [];
    add('database', () => closed.push('database'));
    add('server', async () => {
      await Promise.resolve();
      closed.push('server');
    });
    await Promise.all([closeAll(), closeAll()]);
    expect(closed).toEqual(['server', 'database']);
  });

  test('continues after a failure, and reports it', async () => {
    const { add, closeAll } = closers(log);
    const closed: string[] = [];
    add('database', () => closed.push('database'));
    add('server', () => Promise.reject(new Error('stuck')));
    await expect(closeAll()).rejects.toThrow('stuck');
    expect(closed).toEqual(['database']);
  });
});
