import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { type LogServer, logKinds } from '../support/stages/log-servers.ts';

const run = promisify(execFile);
const AUDIT = ['--disable-warning=ExperimentalWarning', 'scripts/audit.ts'];
/** The server with its database, the server alone, and a sealer beside the server are killed in turn. */
const ROUNDS = 2;
const PER_ROUND = 150;

const limits = {
  MESSAGES_PER_MINUTE: '1000000',
  REQUESTS_PER_MINUTE: '1000000',
  LOGINS_PER_MINUTE: '1000000',
};

describe.each(logKinds)(
  'kill -9 of the server and of sealers under load, with the log in $name',
  ({ open }) => {
    let log: LogServer;
    let server: ServerProcess;
    beforeAll(async () => {
      log = await open();
    });
    afterAll(async () => {
      await server?.killTree();
      await rm(server.dataDir, { recursive: true, force: true });
      await log.close();
    });

    test('never raises a false alarm: all checkpoints and the whole log hold', async () => {
      const port = await freePort();
      const env = { ...limits, ...log.env };
      server = await startServer({ port, env });
      const { url, dataDir } = server;
      const settings = { PATH: process.env['PATH'], DATA_DIR: dataDir, ...log.env };
      const company = await signUp(url, { role: 'company', displayName: 'Company' });

      let posted = 0;
      let isOver = false;
      const post = async () => {
        while (!isOver)
          await call(url, 'POST', '/v1/jobs', {
            token: company.accessToken,
            body: { title: 'Job', description: 'Hold on' },
          }).then(
            () => (posted += 1),
            () => pause(50),
          );
      };
      const load = Promise.all(Array.from({ length: 8 }, post));
      const progress = async () => {
        const before = posted;
        await until(() => posted >= before + PER_ROUND, 'new events', 60_000);
      };

      /** Kills a sealer that works beside the server, at another moment each time. */
      const killSealer = async (ms: number) => {
        const sealer: ChildProcess = spawn(process.execPath, [...AUDIT, 'seal'], {
          env: settings,
          stdio: 'ignore',
        });
        const exited = once(sealer, 'exit');
        await pause(ms);
        sealer.kill('SIGKILL');
        await exited;
      };

      for (let round = 0; round < ROUNDS; round += 1) {
        await progress();
        for (const ms of [700, 1_000, 1_300]) await killSealer(ms + 70 * round);
        await (round % 2 === 0 ? server.killProcess() : server.killTree());
        server = await startServer({ port, dataDir, env });
      }
      await progress();
      isOver = true;
      await load;

      const sealed = await run(process.execPath, [...AUDIT, 'seal'], { env: settings });
      expect(sealed.stdout).toMatch(/^sealed [\d,]+ more events/);
      const { stdout } = await run(process.execPath, [...AUDIT, 'verify'], { env: settings });
      expect(stdout).toMatch(/^[\d,]+ events and \d+ checkpoints hold\n/);
      const lines = (await readFile(join(dataDir, 'checkpoints.ndjson'), 'utf8')).trim().split('\n');
      expect(lines.length).toBeGreaterThan(ROUNDS);
      expect(server.output()).not.toContain('THE LOG IS NOT WHAT WAS SEALED');
    }, 180_000);
  },
);
