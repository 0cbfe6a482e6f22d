/**
 * A stand-in for the application in tests that kill it: locks the folder given as its argument, starts
 * PostgreSQL there, reports it in one JSON line, and stops in order on SIGTERM.
 */
import { once } from 'node:events';
import { pino } from 'pino';
import { lockDataDir } from '../../../src/adapters/embedded-postgres/data-dir-lock.ts';
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts';

const [dataDir = '', level = 'silent'] = process.argv.slice(2);
const log = pino({ level }, pino.destination(2));

try {
  const lock = await lockDataDir(dataDir);
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  const { ownerUrl, pid } = postgres;
  process.stdout.write(`${JSON.stringify({ ownerUrl, pid })}\n`);
  const alive = setInterval(() => undefined, 1_000);
  await once(process, 'SIGTERM');
  clearInterval(alive);
  await postgres.stop();
  await lock.release();
} catch (error) {
  process.stdout.write(`${JSON.stringify({ fault: String(error) })}\n`);
  process.exitCode = 1;
}
