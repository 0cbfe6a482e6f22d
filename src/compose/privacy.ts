import type { Logger } from 'pino';
import { followAutomations } from '../automations/follow-automations.ts';
import { eraseAccount } from '../commands/account/erase-account.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Config } from '../config.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import type { Checks } from '../http/readiness.ts';
import { sleep } from '../kit/back-off.ts';
import type { Closers } from '../kit/closers.ts';
import { newId } from '../kit/uuids.ts';
import { type Erasures, createClearing, startEraser } from '../privacy/eraser.ts';
import type { ErasedPeople } from '../privacy/erased-people.ts';
import type { KeyRing } from '../privacy/key-ring.ts';
import { startScrubber } from '../privacy/scrubber.ts';
import { personKey } from '../privacy/text-seal.ts';
import type { Progress } from '../projections/projection.ts';
import { createErasedPeopleFile } from '../adapters/disk/erased-people.ts';
import { createScrubs } from '../adapters/postgres/scrubs.ts';
import { postgresCheckpoint } from '../adapters/postgres/tables/checkpoints.ts';
import { createErasures } from '../adapters/postgres/tables/erasures.ts';
import { createS3ErasedPeople } from '../adapters/s3/erased-people.ts';
import type { DatabaseParts } from './log.ts';
import { whileLeading } from './while-leading.ts';

interface PrivacyDeps extends Pick<DatabaseParts, 'background' | 'databaseUrl' | 'leases'> {
  store: EventStore;
  handle: HandleCommand;
  progress: Progress;
  keyRing: KeyRing;
}

/** Opens the list of erased people, at its place. */
function openErasedPeople({ erasedPeople }: Config): ErasedPeople & { close(): void } {
  if (erasedPeople.s3) return createS3ErasedPeople(erasedPeople.s3);
  return { ...createErasedPeopleFile(erasedPeople.file), close: () => {} };
}

const NAME = 'erasures';
const WAIT_MS = 10_000;

/**
 * Erases again who is in the list of erased people and, by the keys in the database, is not: a backup was restored. Their
 * keys are destroyed before anything is served.
 */
async function applyList(
  log: Logger,
  { keyRing, handle }: PrivacyDeps,
  list: ErasedPeople,
  erasures: Erasures,
): Promise<void> {
  const people = await erasures.notDestroyed(await list.all());
  for (const { userId, erasureId } of people) {
    log.warn({ userId }, 'a restored backup has somebody who was erased since; erasing again');
    await keyRing.destroy([personKey(userId)]);
    const request = { actor: 'system', correlationId: newId(), key: `${erasureId}/restored` } as const;
    await handle(eraseAccount, { userId, erasureId, isListed: true }, request);
    await erasures.forget(userId);
  }
}

/**
 * In a worker, starts what erases people, wherever this process leads it. Resolves once nobody from the list can be
 * read.
 */
export async function startErasures(
  config: Config,
  log: Logger,
  open: Closers,
  deps: PrivacyDeps,
): Promise<Checks> {
  if (!config.roles.has('worker')) return {};
  const { background, databaseUrl, leases, store, handle, progress, keyRing } = deps;
  const erasedPeople = openErasedPeople(config);
  open.add('list of erased people', () => erasedPeople.close());
  const erasures = createErasures(background);
  await applyList(log, deps, erasedPeople, erasures);

  async function caughtUp(position: Position): Promise<void> {
    while (!(await progress.reached(position, WAIT_MS))) await sleep(0);
  }
  const erasing = whileLeading(leases, NAME, () => {
    const eraser = startEraser({
      ...{ erasures, store, caughtUp, handle, newId, log },
      retentionMonths: config.retentionMonths,
    });
    const clearing = followAutomations({
      store,
      automate: createClearing({ keyRing, erasedPeople, erasures, caughtUp, handle }),
      types: ['AccountErased', 'MonthExpired'],
      checkpoint: postgresCheckpoint(background, NAME),
      log,
    });
    const scrubs = createScrubs({ pool: background, databaseUrl, store, log });
    const scrubber = startScrubber({ scrubs, erasures, log });
    return {
      failure: () => eraser.failure() ?? clearing.failure()?.message,
      async stop() {
        await Promise.all([eraser.stop(), clearing.stop(), scrubber.stop()]);
      },
    };
  });
  open.add(NAME, () => erasing.stop());
  return { [NAME]: () => erasing.running()?.failure() };
}
