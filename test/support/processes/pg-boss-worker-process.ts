/**
 * A stand-in for a worker in a test that kills it: consumes the queue in the database given as its argument,
 * writes the id of each delivered batch on a line, and never completes one.
 */
import { pino } from 'pino';
import { createPgBossQueue } from '../../../src/adapters/pg-boss/queue.ts';

const [url = ''] = process.argv.slice(2);
const queue = await createPgBossQueue({ url, log: pino({ level: 'silent' }) });
await queue.consume({
  handle: (batchId) => {
    process.stdout.write(`${batchId}\n`);
    return new Promise(() => undefined);
  },
  onDead: async () => undefined,
  concurrency: { email: 1, push: 1, 'email-slow': 1, 'push-slow': 1 },
});
