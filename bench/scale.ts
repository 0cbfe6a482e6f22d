import { createQueryPool } from '../src/adapters/postgres/query-pool.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { readModels } from '../src/projections/read-models.ts';
import { bindQueries } from '../src/queries/queries.ts';
import { type Bench, type Result, best, inFlight, median, round } from './bench.ts';
import { type OpenLog, caughtUp, openLog } from './log.ts';
import { type TemporaryPostgres, query, quiet, startPostgres } from './postgres.ts';
import { sender } from './send-message.ts';
import { type World, appendMessages, makeWorld } from './world.ts';

/** An account and an entry for each member, and the messages: 100 events. */
const MEMBERS = 4;
const MESSAGES = 92;
const EVENTS = 2 * MEMBERS + MESSAGES;
const BLOCK = 23;
const SMALL = 10_000;
/** The conversations that are in use, spread over the whole log: all of those in the small one. */
const ACTIVE = SMALL / EVENTS;
const IN_FLIGHT = 64;
const PAGE = 20;
const TARGETS = { append: 0.85, page: 1.15 };

interface Filled extends OpenLog {
  ownerUrl: string;
  active: World;
  messages: number;
}

/** Creates a log of as many events, in conversations of the same length that came about side by side. */
async function fill(postgres: TemporaryPostgres, name: string, events: number): Promise<Filled> {
  const ownerUrl = await postgres.createDatabase(name);
  const log = await openLog(ownerUrl);
  const { groups } = await makeWorld(log.store, { groups: events / EVENTS, members: MEMBERS });
  for (let from = 0; from < MESSAGES; from += BLOCK)
    await inFlight(IN_FLIGHT, groups, (group) => appendMessages(log.store, group, BLOCK));
  const step = groups.length / ACTIVE;
  const active = { groups: Array.from({ length: ACTIVE }, (_, index) => groups[index * step]!) };
  return { ...log, ownerUrl, active, messages: groups.length * MESSAGES };
}

/** Lets the read models follow a log to its end, and does what autovacuum does. */
async function show({ store, databaseUrl, ownerUrl }: Filled): Promise<void> {
  const projections = await startProjections({ store, databaseUrl, log: quiet });
  await caughtUp(store, projections);
  await projections.stop();
  await query(ownerUrl, 'vacuum analyze');
}

/** Tables with what belongs to them, and their indexes, in bytes. */
const SIZES = `select
    case nspname when 'public' then '' else nspname || '.' end || relname as name,
    case relkind when 'i' then pg_relation_size(c.oid) else pg_table_size(c.oid) end::float8 as bytes
  from pg_class c join pg_namespace n on n.oid = relnamespace
  where relkind in ('r', 'i') and nspname = any (array['public', '${readModels.map(({ name }) => name).join(`', '`)}'])
  order by bytes desc`;

/** Resolves with the bytes of disk for each message, and what they are made of, without the log for recovery. */
async function diskOf({ ownerUrl, messages }: Filled) {
  const sizes = await query<{ name: string; bytes: number }>(ownerUrl, SIZES);
  const perMessage = sizes.map(({ name, bytes }) => [name, round(bytes / messages, 1)] as const);
  const sum = (those: { bytes: number }[]) => those.reduce((total, { bytes }) => total + bytes, 0);
  return {
    bytes: round(sum(sizes) / messages, 1),
    of: Object.fromEntries(perMessage.filter(([, bytes]) => bytes >= 1)),
  };
}

/** Measures the newest page of the conversations in use, in the large and in the small log in turn. */
async function comparePages(large: Filled, small: Filled, samples: number): Promise<Result> {
  const open = async ({ databaseUrl, active }: Filled) => {
    const db = await createQueryPool({ url: databaseUrl, log: quiet, max: 1, applicationName: 'bench' });
    const { messageHistory } = bindQueries(db);
    const times: number[] = [];
    return {
      times,
      db,
      async read(count: number): Promise<void> {
        const { groupId, members } = active.groups[Math.abs(count) % ACTIVE]!;
        const begun = performance.now();
        await messageHistory({ userId: members[0]!, groupId, limit: PAGE });
        // The first page of each conversation is not counted: it fills caches.
        if (count >= 0) times.push(performance.now() - begun);
      },
    };
  };
  const [theirs, mine] = [await open(small), await open(large)];
  for (let count = -ACTIVE; count < samples; count += 1) {
    await theirs.read(count);
    await mine.read(count);
  }
  await Promise.all([theirs.db.end(), mine.db.end()]);
  const [project, peer] = [median(mine.times), median(theirs.times)];
  return {
    ...{ bench: 'scale', case: 'newest page', project: round(project, 3), peer: round(peer, 3) },
    ...{ ratio: round(project / peer), unit: 'ms', target: TARGETS.page, rule: 'ratio <= target' },
    ...{ ok: project / peer <= TARGETS.page, samples },
  };
}

/**
 * Compares the rate of `append` and the newest page in a log of very many events with those in a small one, and
 * tells the disk that a message takes. The small log is a new one in each round: a round makes it several times as long.
 */
export const scale: Bench = {
  name: 'scale',
  isForItself: true,
  async run({ quick, say }) {
    const events = quick ? 200_000 : 10_000_000;
    const rounds = quick ? 3 : 7;
    const milliseconds = quick ? 1_000 : 2_000;
    const postgres = await startPostgres();
    try {
      const begun = performance.now();
      const took = () => `after ${round((performance.now() - begun) / 1_000, 0)} s`;
      const large = await fill(postgres, 'large', events);
      say(`scale: ${events} events in the log ${took()}`);
      await show(large);
      const small = await fill(postgres, 'small', SMALL);
      await show(small);
      await query(postgres.ownerUrl, 'checkpoint');
      say(`scale: all of them shown ${took()}`);
      const [disk, diskOfSmall] = [await diskOf(large), await diskOf(small)];
      const parts = Object.entries(disk.of).map(([name, bytes]) => `${name} ${bytes}`);
      say(`scale: ${disk.bytes} bytes of disk for a message: ${parts.join(', ')}`);
      const page = await comparePages(large, small, quick ? 500 : 2_000);
      say(`scale: newest page ${page.project} ms, in the small log ${page.peer} ms`);

      const rates = { project: [] as number[], peer: [] as number[] };
      const measure = async ({ store, active }: Filled) => {
        const send = sender(store, active);
        await send(IN_FLIGHT, 300);
        return send(IN_FLIGHT, milliseconds);
      };
      for (let count = 1; count <= rounds; count += 1) {
        const another = await fill(postgres, `small_${count}`, SMALL);
        rates.peer.push(await measure(another));
        await another.close();
        rates.project.push(await measure(large));
        const [mine, theirs] = [rates.project, rates.peer].map((each) => round(each.at(-1)!, 0));
        say(`scale ${count}/${rounds}: append ${mine}, in the small log ${theirs} per second`);
      }
      await Promise.all([small.close(), large.close()]);
      const [project, peer] = [best(rates.project), best(rates.peer)];
      const lines: Result[] = [
        {
          ...{ bench: 'scale', case: 'append', project: round(project, 0), peer: round(peer, 0) },
          ...{ ratio: round(project / peer), unit: 'messages/s', target: TARGETS.append },
          ...{ rule: 'ratio >= target', ok: project / peer >= TARGETS.append },
          rounds: {
            project: rates.project.map((rate) => round(rate, 0)),
            peer: rates.peer.map((rate) => round(rate, 0)),
          },
        },
        page,
        {
          ...{ bench: 'scale', case: 'disk', project: disk.bytes, peer: diskOfSmall.bytes },
          ...{ ratio: round(disk.bytes / diskOfSmall.bytes), unit: 'bytes/message', target: null },
          ...{ rule: 'no target', ok: true, madeOf: disk.of },
        },
      ];
      return lines.map((line) => ({ ...line, events: { large: events, small: SMALL } }));
    } finally {
      await postgres.stop();
    }
  },
};
