import type { Logger } from 'pino';
import { eraseAccount } from '../commands/account/erase-account.ts';
import { removeTeammate } from '../commands/company/teammates.ts';
import { refuseFile } from '../commands/file/refuse-file.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { EventStore, Position, Recorded } from '../events/event-store.ts';
import { expireMonth, firstKept } from '../commands/retention/expire-month.ts';
import type { FileId, GroupId, UserId } from '../events/ids.ts';
import { sleep } from '../kit/back-off.ts';
import { reasonOf } from '../kit/reason.ts';
import type { KeyRing } from './key-ring.ts';
import type { ErasedPeople, ErasedPerson } from './erased-people.ts';
import { monthKey, personKey } from './text-seal.ts';

/** What was said in a group in a month, `YYYY-MM` in UTC. */
export interface GroupMonth {
  groupId: GroupId;
  month: string;
}

/** The files of a person, or of a group in a month. */
export type FilesOf = { userId: UserId } | GroupMonth;

/** The port of what an erasure finds and changes beside the log. */
export interface Erasures {
  /** Resolves with erasures whose time has come and that no hold suspends, at most `limit`. */
  due(now: Date, limit: number): Promise<ErasedPerson[]>;
  /** Resolves with those of these people whose keys are not destroyed. */
  notDestroyed(people: readonly ErasedPerson[]): Promise<ErasedPerson[]>;
  /** Removes the person from all tables and read models. Repeating it changes nothing. */
  forget(userId: UserId): Promise<void>;
  /** Resolves with months before this one in which somebody has text in a group without a hold, at most `limit`. */
  expirable(firstKept: string, limit: number): Promise<GroupMonth[]>;
  /** Removes what was said in a group in a month from the read models. Repeating it changes nothing. */
  forgetMonth(month: GroupMonth): Promise<void>;
  /** Resolves with files that still have bytes, in the order of their ids, after an id, at most `limit`. */
  filesOf(of: FilesOf, after: string, limit: number): Promise<FileId[]>;
  /** Resolves with the companies that the person belongs to. */
  companiesOf(userId: UserId): Promise<UserId[]>;
  /** Records that nothing can be read any more, and asks for a scrub of what is left in files. */
  cleared(erased: ErasedPerson | GroupMonth): Promise<void>;
  /** Resolves with what was cleared before that time and not gone over again since, at most 200. */
  toSweep(before: Date): Promise<(ErasedPerson | GroupMonth)[]>;
  /** Resolves with what was cleared, and is not scrubbed yet. */
  toScrub(): Promise<(ErasedPerson | GroupMonth)[]>;
  /** Records that it was gone over again, and asks for another scrub. */
  swept(erased: ErasedPerson | GroupMonth): Promise<void>;
}

/** Removes what came after it was cleared. */
export const clearAgain = (
  erasures: Pick<Erasures, 'forget' | 'forgetMonth'>,
  erased: ErasedPerson | GroupMonth,
): Promise<void> => ('userId' in erased ? erasures.forget(erased.userId) : erasures.forgetMonth(erased));

const EVERY_MS = 1_000;
const LIMIT = 100;
const FILES = 500;
/** Before every file. */
const NO_FILE = '00000000-0000-0000-0000-000000000000';
/** Longer than a process keeps a key, and than a page of the log is on its way into a read model. */
const SWEPT_AFTER_MS = 120_000;

/**
 * Creates what follows from the erasure of an account, and from the end of a month's retention: the key is destroyed, and
 * everything that it opened goes. Run it from a follower of the log with a checkpoint of its own; repeating it is safe. Resolves with the position of the last
 * such event, 0 if there was none.
 */
export function createClearing({
  keyRing,
  erasedPeople,
  erasures,
  caughtUp,
  handle,
}: {
  keyRing: Pick<KeyRing, 'destroy'>;
  erasedPeople: ErasedPeople;
  erasures: Erasures;
  /** Resolves once the read models have handled the log up to a position. */
  caughtUp: (position: Position) => Promise<void>;
  handle: HandleCommand;
}): (events: readonly Recorded[]) => Promise<Position> {
  async function removeFiles(of: FilesOf, correlationId: string): Promise<void> {
    for (let after = NO_FILE; ;) {
      const fileIds = await erasures.filesOf(of, after, FILES);
      for (const fileId of fileIds)
        try {
          // By the file, not by the event: many files follow from one event.
          const request = { actor: 'system', correlationId, key: `erase ${fileId}` } as const;
          await handle(refuseFile, { fileId, reason: 'erased', signature: null }, request);
        } catch (error) {
          // Refused by now, for another reason.
          if (!(error instanceof CommandRejected)) throw error;
        }
      if (fileIds.length < FILES) return;
      after = fileIds.at(-1)!;
    }
  }

  async function leaveCompanies(userId: UserId, correlationId: string): Promise<void> {
    for (const companyId of await erasures.companiesOf(userId))
      try {
        const request = { actor: 'system', correlationId, key: `erase ${userId} in ${companyId}` } as const;
        await handle(removeTeammate, { companyId, userId }, request);
      } catch (error) {
        // The last owner stays: nobody is left to be told.
        if (!(error instanceof CommandRejected)) throw error;
      }
  }

  async function clearPerson(person: ErasedPerson, { position, metadata }: Recorded): Promise<void> {
    const { userId } = person;
    // Outside of the database first: a backup that is restored later must not bring the person back.
    await erasedPeople.add(person);
    await keyRing.destroy([personKey(userId)]);
    await caughtUp(position);
    await erasures.forget(userId);
    await leaveCompanies(userId, metadata.correlationId);
    await removeFiles({ userId }, metadata.correlationId);
    await erasures.cleared(person);
  }

  async function clearMonth({ groupId, month }: GroupMonth, { position, metadata }: Recorded): Promise<void> {
    await keyRing.destroy([monthKey(groupId, month)]);
    await caughtUp(position);
    await erasures.forgetMonth({ groupId, month });
    await removeFiles({ groupId, month }, metadata.correlationId);
    await erasures.cleared({ groupId, month });
  }

  return async (events) => {
    let done: Position = 0;
    for (const event of events) {
      if (event.type === 'AccountErased') await clearPerson(event.data, event);
      else if (event.type === 'MonthExpired') await clearMonth(event.data, event);
      else continue;
      done = event.position;
    }
    return done;
  };
}

/**
 * Starts erasing accounts whose time has come and months whose retention is over, and going over cleared accounts once
 * more. What fails is logged and tried again in the next round.
 */
export function startEraser({
  erasures,
  store,
  caughtUp,
  handle,
  newId,
  retentionMonths,
  log,
  now = () => new Date(),
}: {
  erasures: Erasures;
  store: Pick<EventStore, 'head'>;
  caughtUp: (position: Position) => Promise<void>;
  handle: HandleCommand;
  newId: () => string;
  /** Undefined keeps everything. */
  retentionMonths: number | undefined;
  log: Logger;
  now?: () => Date;
}): { failure(): string | undefined; stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let failure: string | undefined;

  async function eraseDue(): Promise<void> {
    if ((await erasures.due(now(), 1)).length === 0) return;
    // A hold that was answered before is in the read model then.
    await caughtUp(await store.head());
    for (const erasure of await erasures.due(now(), LIMIT)) {
      if (signal.aborted) return;
      const request = { actor: 'system', correlationId: newId(), key: erasure.erasureId } as const;
      await handle(eraseAccount, erasure, request);
    }
  }

  async function expireDue(): Promise<void> {
    if (retentionMonths === undefined) return;
    const kept = firstKept(now(), retentionMonths);
    if ((await erasures.expirable(kept, 1)).length === 0) return;
    await caughtUp(await store.head());
    for (const { groupId, month } of await erasures.expirable(kept, LIMIT)) {
      if (signal.aborted) return;
      const request = { actor: 'system', correlationId: newId(), key: `${groupId}/${month}` } as const;
      await handle(expireMonth, { groupId, month, retentionMonths }, request);
    }
  }

  async function sweep(): Promise<void> {
    for (const erased of await erasures.toSweep(new Date(now().getTime() - SWEPT_AFTER_MS))) {
      if (signal.aborted) return;
      await clearAgain(erasures, erased);
      await erasures.swept(erased);
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await eraseDue();
        await expireDue();
        await sweep();
        failure = undefined;
      } catch (err) {
        failure = reasonOf(err);
        log.warn({ err }, 'erasures could not be carried out; retrying in 1 s');
      }
      await sleep(EVERY_MS, signal, { ref: false });
    }
  }

  const ended = run();
  return {
    failure: () => failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
