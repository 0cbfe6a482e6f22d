import { resolve } from 'node:path';
import { append } from './append.ts';
import { type Bench, commit, machine, round } from './bench.ts';
import { chat } from './chat.ts';
import { cluster } from './cluster.ts';
import { connections } from './connections.ts';
import { eventStoreDb } from './eventstoredb.ts';
import { fanout } from './fanout.ts';
import { growth } from './growth.ts';
import { hostile } from './hostile.ts';
import { idle } from './idle.ts';
import { inbox } from './inbox.ts';
import { pages } from './pages.ts';
import { postgresVersion } from './postgres.ts';
import { replay } from './replay.ts';
import { scale } from './scale.ts';
import { sealing } from './sealing.ts';
import { search } from './search.ts';
import { soak } from './soak.ts';
import { argumentsOf } from '../scripts/program.ts';

const benches: Bench[] = [
  append,
  chat,
  fanout,
  growth,
  replay,
  scale,
  sealing,
  search,
  inbox,
  idle,
  connections,
  cluster,
  pages,
  hostile,
  eventStoreDb,
  soak,
];

const USAGE = `Usage: npm run bench -- [--quick] [--profile <folder>] [--eventstoredb <url>] [--minutes <n>] [--against <folder>] [<name> …]

One JSON line per result on stdout, progress on stderr; exit code 1 when a target is missed.
Benches: ${benches.map(({ name }) => name).join(', ')}.
`;

const { values, positionals } = argumentsOf(USAGE, {
  quick: { type: 'boolean' },
  profile: { type: 'string' },
  eventstoredb: { type: 'string' },
  minutes: { type: 'string' },
  against: { type: 'string' },
});
const quick = values.quick ?? false;
const nodeArgs =
  values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile)}`];
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
if (minutes !== undefined && !(minutes >= 1 && minutes <= 1_440)) {
  process.stderr.write('--minutes: must be 1 to 1440\n');
  process.exit(2);
}
const against = values.against === undefined ? undefined : resolve(values.against);
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no such bench: ${unknown.join(', ')}; there are ${benches.map((b) => b.name).join(', ')}\n`,
  );
  process.exit(2);
}
const chosen = benches.filter(({ name, isForItself = false }) =>
  positionals.length === 0 ? !isForItself : positionals.includes(name),
);
const say = (line: string) => void process.stderr.write(`${line}\n`);

const setting = { machine: machine(await postgresVersion()), commit: commit() };
for (const bench of chosen) {
  const started = performance.now();
  try {
    const results = await bench.run({
      quick,
      nodeArgs,
      say,
      minutes,
      against,
      eventStoreDbUrl: values.eventstoredb,
    });
    const durationSeconds = round((performance.now() - started) / 1_000, 1);
    for (const result of results) {
      process.stdout.write(`${JSON.stringify({ ...result, quick, durationSeconds, ...setting })}\n`);
      if (!result.ok) process.exitCode = 1;
    }
  } catch (error) {
    say(`${bench.name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
  }
}
