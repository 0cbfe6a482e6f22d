import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import type { Config } from '../config.ts';
import type { Position } from '../events/event-store.ts';
import {
  LogRestored,
  type LogState,
  type Sighting,
  type Witness,
  isLost,
  lost,
  newEpoch,
} from '../events/sightings.ts';
import { sleep } from '../kit/back-off.ts';
import type { Closers } from '../kit/closers.ts';
import { within } from '../kit/deadline.ts';
import { waitFor } from '../kit/wait-for.ts';
import { type Positions, createPositions } from '../protocol/positions.ts';
import { createLogWitnessFile } from '../adapters/disk/log-witness.ts';
import { epochsOf } from '../adapters/postgres/event-log/epochs.ts';
import { openSealRecords } from '../adapters/postgres/tables/seals.ts';
import type { Cluster } from './cluster.ts';
import type { DatabaseParts, openLog } from './log.ts';
import { openCheckpoints } from './sealing.ts';

const FILE = 'log-seen.json';
/** Interval of looks at the log, and of writing to the file. */
const [LOOK_MS, WRITE_MS] = [1_000, 5_000];
/** A server of EventStoreDB that has just begun to lead may not show everything yet. PostgreSQL shows it at once. */
const PATIENCE_MS = { postgresql: 0, eventstoredb: 10_000 };
/** Time for the witnesses to answer at the start. */
const RECALL_MS = 2_000;
const CLOSE_MS = 2_000;

type WatchDeps = Pick<DatabaseParts, 'background'> &
  Pick<Awaited<ReturnType<typeof openLog>>, 'store' | 'kind' | 'end'> & { cluster: Cluster };

interface NamedWitness {
  name: string;
  witness: Witness;
}

/**
 * Opens the present epoch of the log. Rejects with `LogRestored` when the log has lost something that an earlier process,
 * another node or the sealer has seen of it. Goes on looking: `ended` is called once when it loses something later. This
 * process must end at once then: whatever it still wrote would be based on what is lost.
 */
export async function openEpoch(
  config: Config,
  log: Logger,
  open: Closers,
  deps: WatchDeps,
  ended: (reason: LogRestored) => void,
): Promise<Positions> {
  const { background, store, kind, end, cluster } = deps;
  const file = createLogWitnessFile(join(resolve(config.dataDir), FILE));
  const witnesses: NamedWitness[] = [{ name: 'this process, or an earlier one,', witness: file }];
  if (cluster) witnesses.push({ name: 'another process', witness: cluster.witness });

  const state = async (): Promise<LogState> => ({ epochs: await epochsOf(background), end: await end() });
  let logId: string | undefined;
  const identity = async () => (logId ??= (await store.readAll({ after: 0, limit: 1 }))[0]?.id);

  /** Throws `LogRestored` unless the log comes to have what was seen. */
  async function requireKept(witness: string, seen: Sighting): Promise<LogState> {
    let now = await state();
    const isKept = async () => !isLost(seen, (now = await state()));
    if (isLost(seen, now) && !(await waitFor(isKept, PATIENCE_MS[kind]))) throw lost(witness, seen, now);
    return now;
  }

  const { epochs } = await state();
  const [present] = epochs;
  const positions = createPositions({ epoch: present.epoch, head: () => store.head() });
  const first = await identity();
  if (first !== undefined)
    for (const { name, witness } of witnesses) {
      const seen = await recallAtStart(log, name, () => witness.recall(first));
      if (seen) await requireKept(name, seen);
    }
  const sealed = await sealedPosition(config, log, background, present.beganAt);
  if (sealed !== undefined) await requireKept('the sealer', { ...present, position: sealed });

  let [seen, written, writtenAt]: [Position, Position, number] = [0, 0, -Infinity];
  const closing = new AbortController();

  async function look(): Promise<void> {
    const known = await identity();
    if (known === undefined) return;
    seen = Math.max(seen, positions.highest());
    const now = await requireKept('this process', { ...present, position: seen });
    if (now.epochs[0].epoch !== present.epoch) throw newEpoch(now);
    const elsewhere = await cluster?.witness.recall(known).catch(() => undefined);
    if (elsewhere) await requireKept('another process', elsewhere);
    seen = Math.max(seen, await store.head());
    await cluster?.witness.note(known, { ...present, position: seen }).catch(() => undefined);
    if (performance.now() - writtenAt < WRITE_MS) return;
    await write(known);
  }

  let isTold = false;
  async function write(known: string): Promise<void> {
    if (seen === written) return;
    writtenAt = performance.now();
    await file.note(known, { ...present, position: seen }).then(
      () => (written = seen),
      (err: unknown) => {
        if (!isTold)
          log.info({ err }, 'could not note in the data folder what was seen of the log; trying again');
        isTold = true;
      },
    );
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await look();
      } catch (error) {
        if (error instanceof LogRestored) return ended(error);
        log.debug({ err: error }, 'could not look whether the log is whole; looking again');
      }
      await sleep(LOOK_MS, closing.signal, { ref: false });
    }
    seen = Math.max(seen, positions.highest());
    if (logId !== undefined) await write(logId);
  }

  const watching = watch();
  open.add('log watch', async () => {
    closing.abort();
    await within(watching, CLOSE_MS, () => undefined);
  });
  return positions;
}

/** A witness that does not answer has nothing to say now; the next looks ask it again. */
async function recallAtStart<T>(
  log: Logger,
  name: string,
  recall: () => Promise<T | undefined>,
): Promise<T | undefined> {
  let found: T | undefined;
  let failure: unknown;
  const isAnswered = async () =>
    recall().then(
      (seen) => {
        found = seen;
        return true;
      },
      (err: unknown) => {
        failure = err;
        return false;
      },
    );
  if (!(await waitFor(isAnswered, RECALL_MS)))
    log.warn({ err: failure, witness: name }, 'could not ask what was seen of the log');
  return found;
}

/**
 * Resolves with the position of the last sealed event, if it was sealed in this epoch: where the database knows the place
 * of the checkpoints, they are of this log.
 */
async function sealedPosition(
  config: Config,
  log: Logger,
  pool: DatabaseParts['background'],
  beganAt: number,
): Promise<Position | undefined> {
  if (!config.roles.has('api') && !config.roles.has('sealer')) return undefined;
  const checkpoints: CheckpointStore & { close(): void } = openCheckpoints(config);
  try {
    if (!(await (await openSealRecords(pool, config.seal.url)).head())) return undefined;
    const asked = checkpoints.last().catch((err: unknown) => {
      log.warn({ err }, 'could not read the last checkpoint');
      return undefined;
    });
    const last = await within(asked, RECALL_MS, () => undefined);
    return last && Date.parse(last.at) > beganAt ? Number(last.position) : undefined;
  } finally {
    checkpoints.close();
  }
}
