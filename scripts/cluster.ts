import { backOffMs, sleep } from '../src/kit/back-off.ts';
import { pino } from 'pino';
import { readConfig } from '../src/config.ts';
import { prepareDebianPrograms } from '../tools/debian-programs.ts';
import { npmGone } from '../src/adapters/os/npm-gone.ts';
import { SHAPE, type Cluster, startCluster } from './cluster/cluster.ts';
import type { Kind } from './cluster/node.ts';
import { argumentsOf } from './program.ts';

const HELP = `npm run cluster -- [options]

Starts the whole program on this machine as it runs in production: two processes of each role, PostgreSQL, Redis, RabbitMQ
and NGINX, which have to be installed. Ctrl-C stops everything.

  --port <port>    where NGINX listens; default 3000
  --data <folder>  keeps database and files there; default: a folder that is removed at the end
  --api <count>    how many nodes serve clients; default 2
  --eventstoredb <url>  keeps the log in this EventStoreDB, which has to run; default EVENTSTOREDB_URL, or else PostgreSQL
  --help           shows this
`;

const tell = (line: string) => void process.stdout.write(`${line}\n`);
const complain = (line: string) => void process.stderr.write(`${line}\n`);

function readArguments() {
  const { values } = argumentsOf(HELP, {
    port: { type: 'string', default: '3000' },
    data: { type: 'string' },
    api: { type: 'string', default: '2' },
    eventstoredb: { type: 'string' },
  });
  const [port, api] = [Number(values.port), Number(values.api)];
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('--port must be 1 to 65535');
  if (!Number.isInteger(api) || api < 1 || api > 16) throw new Error('--api must be 1 to 16');
  const { EVENTSTOREDB_URL, EVENTSTOREDB_URL_FILE } = process.env;
  const { eventStoreDbUrl } = readConfig(
    values.eventstoredb === undefined
      ? { EVENTSTOREDB_URL, EVENTSTOREDB_URL_FILE }
      : { EVENTSTOREDB_URL: values.eventstoredb },
  );
  return { port, api, dataDir: values.data, eventStoreDbUrl };
}

/** Returns a summary such as `2 api, 2 projector, PostgreSQL, …`. */
function summary({ nodes }: Cluster): string {
  const kinds = [...new Set(nodes.map(({ kind }) => kind))];
  const count = (kind: Kind) => nodes.filter((node) => node.kind === kind).length;
  return [...kinds.map((kind) => `${count(kind)} ${kind}`), 'PostgreSQL', 'Redis', 'RabbitMQ', 'NGINX'].join(
    ', ',
  );
}

const LOOK_MS = 500;

/** Starts each process again that ends by itself, and tells of it, until the signal aborts. */
async function superviseNodes({ nodes }: Cluster, signal: AbortSignal): Promise<void> {
  const keepRunning = async (node: Cluster['nodes'][number]) => {
    for (let failures = 0; !signal.aborted; await sleep(LOOK_MS, signal)) {
      if (node.isRunning) continue;
      complain(`${node.kind} ${node.index} has ended; starting it again`);
      await node.restart().then(
        () => {
          failures = 0;
          complain(`${node.kind} ${node.index} runs again`);
        },
        async (error: Error) => {
          failures += 1;
          if (!signal.aborted) complain(error.message);
          await sleep(backOffMs({ first: 1_000, most: 30_000 }, failures), signal);
        },
      );
    }
  };
  await Promise.all(nodes.map(keepRunning));
}

async function run({ port, api, dataDir, eventStoreDbUrl }: ReturnType<typeof readArguments>): Promise<void> {
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      // The second Ctrl-C does not wait. Started processes are killed at the exit.
      if (stopping.signal.aborted) process.exit(1);
      complain('Stopping …');
      stopping.abort();
    });
  void npmGone(process.env).then(() => stopping.abort());
  await prepareDebianPrograms().catch((error: Error) => complain(error.message));
  const cluster = await startCluster({
    nodes: { ...SHAPE, api },
    port,
    ...(dataDir !== undefined && { dataDir }),
    ...(eventStoreDbUrl !== undefined && { env: { EVENTSTOREDB_URL: eventStoreDbUrl } }),
    signal: stopping.signal,
    say: complain,
    log: pino({ level: 'warn' }, pino.destination(2)),
  }).catch((error: unknown) => {
    if (stopping.signal.aborted) return undefined;
    throw error;
  });
  if (!cluster) return;
  tell(`${summary(cluster)}${eventStoreDbUrl === undefined ? '' : ', with the log in EventStoreDB'}`);
  tell(`The chat is at ${cluster.url}, its documentation at ${cluster.url}/docs. Ctrl-C stops everything.`);
  const supervised = superviseNodes(cluster, stopping.signal);
  await asked;
  await cluster.stop();
  await supervised;
}

try {
  await run(readArguments());
} catch (error) {
  complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
