import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findProcess } from '../../../src/adapters/os/processes.ts';

const program = fileURLToPath(
  new URL('../../support/processes/embedded-postgres-process.ts', import.meta.url),
);

interface Running {
  child: ChildProcess;
  ownerUrl: string;
  pid: number;
}

let folder: string;
const started: Running[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  // Like the application's own folder: other users may pass through.
  await chmod(folder, 0o711);
});

afterEach(async () => {
  for (const { child, pid } of started.splice(0)) {
    await kill(child.pid!, 'SIGKILL');
    await kill(pid, 'SIGQUIT');
  }
  await rm(folder, { recursive: true, force: true });
});

/** Resolves once the application reports that PostgreSQL is up. Rejects with any other output. */
async function start(dataDir = join(folder, 'data')): Promise<Running> {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), died])) as [string];
  died.catch(() => undefined);
  const said = JSON.parse(line) as { ownerUrl: string; pid: number; fault?: string };
  if (said.fault) throw new Error(said.fault);
  const running = { child, ...said };
  started.push(running);
  return running;
}

async function stop({ child }: Running): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function kill(pid: number, signal: NodeJS.Signals): Promise<void> {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
  await until(async () => !(await findProcess(pid)), `process ${pid} to end`);
}

async function until(holds: () => Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const keepNote = (url: string) =>
  query(url, `create table note (text text); insert into note values ('kept')`);
const readNotes = (url: string) => query(url, 'select text from note');

describe('embedded PostgreSQL', () => {
  test('is created on the first start, and reused with its data on the next', async () => {
    const first = await start();
    await keepNote(first.ownerUrl);
    await stop(first);
    expect(await findProcess(first.pid)).toBeUndefined();

    const second = await start();
    expect(await readNotes(second.ownerUrl)).toEqual([{ text: 'kept' }]);
  });

  test('keeps acknowledged data, uses UTF-8 and requires the password', async () => {
    const { ownerUrl } = await start();
    const [settings] = await query(
      ownerUrl,
      `select current_setting('fsync') fsync, current_setting('synchronous_commit') commit, lower('ÄÖÜ') lower,
        current_setting('listen_addresses') listen, current_setting('unix_socket_directories') sockets`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      lower: 'äöü',
      listen: '127.0.0.1',
      sockets: '',
    });
    const stranger = new URL(ownerUrl);
    stranger.password = 'guessed';
    await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('starts at once after the application was killed and PostgreSQL kept running', async () => {
    const first = await start();
    await keepNote(first.ownerUrl);
    await kill(first.child.pid!, 'SIGKILL');
    expect(await findProcess(first.pid)).toBeDefined();

    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    expect(await findProcess(first.pid)).toBeUndefined();
    expect(await readNotes(second.ownerUrl)).toEqual([{ text: 'kept' }]);
  });

  test('starts at once after both were killed', async () => {
    const first = await start();
    await keepNote(first.ownerUrl);
    await Promise.all([kill(first.child.pid!, 'SIGKILL'), kill(first.pid, 'SIGKILL')]);

    const second = await start();
    expect(await readNotes(second.ownerUrl)).toEqual([{ text: 'kept' }]);
  });

  test('starts even if its pid file names an unrelated process', async () => {
    const first = await start();
    await kill(first.child.pid!, 'SIGKILL');
    await kill(first.pid, 'SIGKILL');
    const pidFile = join(folder, 'data', 'postgres', 'postmaster.pid');
    const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n');
    // Our own pid would be a foreign process, too, but PostgreSQL trusts the pids of its parents.
    const bystander = spawn('sleep', ['60']);
    try {
      await writeFile(pidFile, [bystander.pid, ...rest].join('\n'));
      const second = await start();
      expect(await query(second.ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(await findProcess(bystander.pid!)).toBeDefined();
    } finally {
      bystander.kill();
    }
  });

  test('is restarted on the same port when it dies', async () => {
    const { ownerUrl, pid } = await start();
    await keepNote(ownerUrl);
    await kill(pid, 'SIGKILL');
    await until(
      () =>
        readNotes(ownerUrl).then(
          (notes) => notes.length === 1,
          () => false,
        ),
      'PostgreSQL to come back',
    );
    // afterEach does not know the new pid.
    await stop(started.at(-1)!);
  });

  test('stays down when the application stops during the restart', async () => {
    const running = await start();
    await kill(running.pid, 'SIGKILL');
    await stop(running);
    expect(running.child.exitCode).toBe(0);
    await expect(query(running.ownerUrl, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('recovers from an interrupted first start', async () => {
    await mkdir(join(folder, 'data', 'postgres.new'), { recursive: true });
    await writeFile(join(folder, 'data', 'postgres.new', 'PG_VERSION'), '18');
    const { ownerUrl } = await start();
    expect(await query(ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('runs in a folder that only its user may enter', async () => {
    await chmod(folder, 0o700);
    const { ownerUrl } = await start();
    expect(await query(ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('reports the reason when it cannot start', async () => {
    const first = await start();
    await stop(first);
    await rm(join(folder, 'data', 'postgres', 'global'), { recursive: true });
    await expect(start()).rejects.toThrow(/did not start.*global/s);
  });

  test('is not started a second time on the same data', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`in use by process ${first.child.pid}`);
  });
});
