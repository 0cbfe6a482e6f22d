import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClamdScanner } from '../../src/adapters/clamd/scanner.ts';
import { createLogger } from '../../src/adapters/pino/logger.ts';
import { clamdCommand } from '../support/servers/clamd.ts';
import { eicar } from '../support/files/corpus.ts';
import { program } from '../../tools/debian-programs.ts';
import { ROOT, composeFile, fileText, filledIn, makeSecrets } from '../support/journeys/deployment-files.ts';
import { freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

const { services } = composeFile(filledIn());
const log = createLogger({ level: 'silent' });
const STARTS_MS = 20_000;

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'chat-parts-'))));
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }
  await rm(folder, { recursive: true });
});

/** The path in this repository of the configuration file of a service. */
const mounted = (service: string): string => {
  const [source = ''] = services[service]?.volumes?.find((mount) => mount.startsWith('./'))?.split(':') ?? [];
  return join(ROOT, source);
};

test('Redis requires the password, stores nothing on disk, and evicts nothing that it must keep', async () => {
  const port = await freePort();
  const { command, env } = program('redis-server');
  const [shell = '', option = '', script = ''] = services['redis']?.command ?? [];
  const secrets = join(folder, 'secrets');
  makeSecrets(secrets);
  const password = (await readFile(join(secrets, 'redis_password'), 'utf8')).trim();
  const here = script
    .replaceAll('/run/secrets', secrets)
    .replace('redis-server', command)
    .replace(/\S+\/redis\.conf/, mounted('redis'))
    .replace('END\n', `END\nport ${port}\nbind 127.0.0.1\n`);
  child = spawn(shell, [option, here], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const options = { host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: 200 };
  const stranger = new Redis({ ...options, enableReadyCheck: false });
  const redis = new Redis({ ...options, password });
  for (const client of [stranger, redis]) client.on('error', () => undefined);
  try {
    await expect(stranger.get('anything')).rejects.toThrow('NOAUTH');
    expect(await redis.ping()).toBe('PONG');
    const settings = async (name: string) => ((await redis.config('GET', name)) as string[])[1];
    expect(await settings('maxmemory-policy')).toBe('noeviction');
    expect(await settings('save')).toBe('');
    expect(await settings('appendonly')).toBe('no');
    expect(Number(await settings('maxmemory'))).toBeGreaterThan(0);
    // The shell has been replaced by Redis, which therefore gets the stop signal.
    expect(await redis.info('server')).toContain(`process_id:${child.pid}\r\n`);
    // The process list does not show the password either.
    expect(here).not.toContain(password);
  } finally {
    stranger.disconnect();
    redis.disconnect();
  }
});

test('clamd scans as deep as the server requires', async () => {
  const port = await freePort();
  const elsewhere = /^(User|LocalSocket|TCPSocket|TCPAddr|LogTime) .*$/gm;
  const settings = fileText('deploy/clamav/clamd.conf').replaceAll(elsewhere, '');
  const config = join(folder, 'clamd.conf');
  const local = `Foreground yes\nDatabaseDirectory ${folder}\nTemporaryDirectory ${folder}\nTCPAddr 127.0.0.1\nTCPSocket ${port}\n`;
  await writeFile(config, `${settings}\n${local}`);
  await writeFile(join(folder, 'eicar.ndb'), `Eicar-Test:0:*:${eicar().toString('hex')}\n`);
  const { command, env } = clamdCommand();
  child = spawn(command, ['--config-file', config], { env, stdio: 'ignore' });
  const scanner = createClamdScanner({ url: `tcp://127.0.0.1:${port}`, log });
  await until(async () => (await scanner.failure()) === undefined, 'clamd to be trusted', STARTS_MS);
});

test('clamd accepts the largest file that may be uploaded', () => {
  const limit = /^StreamMaxLength (\d+)M$/m.exec(fileText('deploy/clamav/clamd.conf'))?.[1];
  const largest = services['worker']?.environment?.['MAX_FILE_MIB'] ?? '25';
  expect(Number(limit)).toBeGreaterThanOrEqual(Number(largest));
});

test('clamd listens where the server expects it', () => {
  const { port } = new URL(services['worker']?.environment?.['CLAMD_URL'] ?? '');
  expect(fileText('deploy/clamav/clamd.conf')).toContain(`\nTCPSocket ${port}\n`);
});
