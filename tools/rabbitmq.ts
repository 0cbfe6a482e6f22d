import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from './debian-programs.ts';
import { accepts, freePort } from './server-process.ts';
import { until } from './until.ts';

const run = promisify(execFile);
/** A broker takes about 5 s to start on an idle machine. */
const START_MS = 60_000;

export interface Rabbitmq {
  url: string;
  /** The URL with TLS; undefined without a certificate. Its host is `localhost`. */
  tlsUrl: string | undefined;
  /** The folder of its data and its settings. */
  folder: string;
  /** The process id of the broker's virtual machine. It changes with a restart. */
  readonly pid: number;
  /** Sends SIGKILL to the broker's virtual machine only. */
  kill(): Promise<void>;
  /** Starts the broker again on the same port with the same data. Kills it first if it runs. */
  restart(): Promise<void>;
  /** Runs `rabbitmqctl` with these arguments. Resolves with its output. */
  ctl(...args: string[]): Promise<string>;
  /** Ends all processes and removes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a separate RabbitMQ with a separate port mapper, on free loopback ports. With a certificate and its key in PEM
 * it has a port with TLS as well.
 */
export async function startRabbitmq({
  tls,
}: { tls?: { certificate: string; key: string } } = {}): Promise<Rabbitmq> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-rabbitmq-'));
  const [port, distributionPort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const server = program('rabbitmq-server');
  const mapper = program('epmd');
  const env = {
    ...process.env,
    ...server.env,
    HOME: folder,
    RABBITMQ_NODENAME: `chat-${randomBytes(4).toString('hex')}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    // Any free port: several calls may run at the same time.
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // With this variable the started process is the virtual machine, not a shell in front of it.
    RUNNING_UNDER_SYSTEMD: '1',
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  await writeFile(join(folder, '.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 });
  const tlsPort = tls && (await freePort());
  const settings = ['disk_free_limit.absolute = 1MB'];
  if (tls) {
    await writeFile(join(folder, 'server.crt'), tls.certificate);
    await writeFile(join(folder, 'server.key'), tls.key);
    settings.push(
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.certfile = ${join(folder, 'server.crt')}`,
      `ssl_options.keyfile = ${join(folder, 'server.key')}`,
    );
  }
  await writeFile(join(folder, 'rabbitmq.conf'), `${settings.join('\n')}\n`);
  await writeFile(join(folder, 'enabled_plugins'), '[].\n');

  const epmd = spawn(mapper.command, ['-address', '127.0.0.1', '-port', String(mapperPort)], {
    env: { ...process.env, ...mapper.env },
    stdio: 'ignore',
  });
  let broker: ChildProcess | undefined;
  let output = '';

  async function start(): Promise<void> {
    const child = spawn(server.command, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    broker = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (output = (output + chunk).slice(-10_000)));
    await until(
      async () => {
        if (hasEnded(child)) throw new Error(`RabbitMQ ended:\n${output}`);
        return accepts(port);
      },
      'RabbitMQ listens',
      START_MS,
    );
  }
  // Leaves no process behind when a test run is interrupted.
  const killAll = () => {
    for (const child of [broker, epmd]) child?.kill('SIGKILL');
  };
  process.once('exit', killAll);

  const rabbitmq: Rabbitmq = {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    tlsUrl: tls && `amqps://guest:guest@localhost:${tlsPort}`,
    folder,
    get pid() {
      return broker?.pid ?? 0;
    },
    async kill() {
      if (broker) await end(broker);
    },
    async restart() {
      await rabbitmq.kill();
      await start();
    },
    async ctl(...args) {
      const { stdout } = await run(program('rabbitmqctl').command, ['--quiet', ...args], {
        env,
        cwd: folder,
      });
      return stdout;
    },
    async stop() {
      await rabbitmq.kill();
      await end(epmd);
      process.off('exit', killAll);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await start();
  } catch (error) {
    await rabbitmq.stop();
    throw error;
  }
  return rabbitmq;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
