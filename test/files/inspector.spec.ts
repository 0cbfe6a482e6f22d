import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { EventStore } from '../../src/events/event-store.ts';
import { FileId } from '../../src/events/ids.ts';
import type { Claims } from '../../src/files/claims.ts';
import type { ScanningFile } from '../../src/files/file-in-log.ts';
import type { Finding } from '../../src/files/inspect/finding.ts';
import type { InspectionTries } from '../../src/files/inspection-tries.ts';
import { createInspector } from '../../src/files/inspector.ts';
import { ScannerUnavailable } from '../../src/files/inspect/scanner.ts';
import { BudgetExceeded } from '../../src/files/inspect/sandbox.ts';
import { createApplyFinding } from '../../src/files/apply-finding.ts';
import { ObjectChanged, StorageUnavailable } from '../../src/files/storage.ts';
import { commands } from '../support/language/command-stage.ts';
import { aboutFile, event, upload, uuid } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { localStore } from '../support/servers/local-store.ts';
import { linesOf } from '../support/log-lines.ts';
import { until } from '../../tools/until.ts';

const cleared: Finding = { verdict: 'cleared', sha256: 'ab'.repeat(32) };
const numbered = (n: number) => FileId.parse(uuid(0x6000 + n));

/** Claims of processes that share one database. */
function sharedClaims() {
  const held = new Set<string>();
  return (): Claims => ({
    async claim(name) {
      if (held.has(name)) return undefined;
      held.add(name);
      return async () => void held.delete(name);
    },
  });
}

/** Attempt counts that survive a process. */
function sharedTries(): InspectionTries & { counts: Map<FileId, number> } {
  const counts = new Map<FileId, number>();
  const add = (fileId: FileId, one: number) => {
    counts.set(fileId, (counts.get(fileId) ?? 0) + one);
    return counts.get(fileId)!;
  };
  return {
    counts,
    begin: async (fileId) => add(fileId, 1),
    takeBack: async (fileId) => void add(fileId, -1),
    forget: async (fileId) => void counts.delete(fileId),
  };
}

type Options = Partial<Parameters<typeof createInspector>[0]>;

let files: Awaited<ReturnType<typeof localStore>>;
let claimsOf: () => Claims;
let tries: ReturnType<typeof sharedTries>;
const running: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  files = await localStore();
  claimsOf = sharedClaims();
  tries = sharedTries();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  await files.remove();
});

/** Stores the bytes of the numbered files and records their upload. */
async function uploaded(store: EventStore, ...numbers: number[]) {
  for (const n of numbers) {
    const about = { ...aboutFile, fileId: numbered(n) };
    const etag = await files.arrive(about.fileId, Buffer.from(`file ${n}`));
    await happened(
      store,
      event('FileUploadRequested', { ...about, ...upload }),
      event('FileUploaded', { ...about, etag }),
    );
  }
}

const waitingIn = (store: EventStore) => async (limit: number) => {
  const states = new Map<FileId, string>();
  for (const { type, data } of await store.readAll({ after: 0, limit: 10_000 }))
    if (type.startsWith('File')) states.set((data as { fileId: FileId }).fileId, type);
  return [...states].flatMap(([id, type]) => (type === 'FileUploaded' ? [id] : [])).slice(0, limit);
};

/** Starts a process that inspects the files in the log. */
async function inspecting(
  store: EventStore,
  inspect: (file: ScanningFile, signal: AbortSignal) => Promise<Finding>,
  options: Options = {},
) {
  const { handle } = await commands({ store });
  const { log, lines } = linesOf('info');
  const makeThumbnail = async () => undefined;
  const inspector = createInspector({
    store,
    waiting: waitingIn(store),
    claims: claimsOf(),
    tries,
    inspect,
    applyFinding: createApplyFinding({ handle, storage: files.storage, makeThumbnail }),
    log,
    pollMs: 20,
    firstPauseMs: 5,
    ...options,
  });
  running.push(inspector);
  await inspector.start();
  return { ...inspector, lines };
}

const decisionsIn = async (store: EventStore): Promise<DomainEvent[]> =>
  (await store.readAll({ after: 0, limit: 10_000 })).filter(
    ({ type }) => type === 'FileCleared' || type === 'FileRefused',
  );
const emptyLog = async () => (await commands()).store;

describe('the inspector', () => {
  test('inspects a file as soon as its upload is complete', async () => {
    const store = await emptyLog();
    await inspecting(store, async () => cleared, { waiting: async () => [], pollMs: 60_000 });
    await uploaded(store, 1);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(await decisionsIn(store)).toMatchObject([{ type: 'FileCleared', data: { fileId: numbered(1) } }]);
  });

  test('finds files left by a crash', async () => {
    const store = await emptyLog();
    await uploaded(store, 1, 2);
    await inspecting(store, async () => cleared);
    await until(async () => (await decisionsIn(store)).length === 2);
  });

  test('inspects the completed version of the bytes', async () => {
    const store = await emptyLog();
    const seen: ScanningFile[] = [];
    await uploaded(store, 1);
    await inspecting(store, async (file) => {
      seen.push(file);
      return cleared;
    });
    await until(async () => (await decisionsIn(store)).length === 1);
    const { etag } = (await files.storage.stat(`quarantine/${numbered(1)}`))!;
    expect(seen).toMatchObject([{ fileId: numbered(1), etag, contentType: 'application/pdf', size: 1_000 }]);
  });

  test('decides nothing while the scanner is down, and retries until it answers', async () => {
    const store = await emptyLog();
    let failuresLeft = 5;
    const { lines } = await inspecting(store, async () => {
      if (failuresLeft-- > 0) throw new ScannerUnavailable('connection refused');
      return cleared;
    });
    await uploaded(store, 1);
    await until(() => failuresLeft === 1);
    expect(await decisionsIn(store)).toEqual([]);
    await until(async () => (await decisionsIn(store)).length === 1);
    const pauses = lines().flatMap(({ pauseMs }) => (typeof pauseMs === 'number' ? [pauseMs] : []));
    expect(pauses).toHaveLength(5);
    pauses.forEach((pauseMs, n) => {
      expect(pauseMs).toBeGreaterThanOrEqual(Math.floor((5 * 2 ** n) / 2));
      expect(pauseMs).toBeLessThanOrEqual(5 * 2 ** n);
    });
  });

  test('does not delay other files when one fails', async () => {
    const store = await emptyLog();
    await inspecting(
      store,
      async ({ fileId }) => {
        if (fileId === numbered(1)) throw new StorageUnavailable('half of it is missing');
        return cleared;
      },
      { concurrency: 1 },
    );
    await uploaded(store, 1, 2, 3);
    await until(async () => (await decisionsIn(store)).length === 2);
  });

  test('refuses a file after three inspections that exceeded their budget', async () => {
    const store = await emptyLog();
    let begun = 0;
    await inspecting(store, async () => {
      begun += 1;
      throw new BudgetExceeded('too much');
    });
    await uploaded(store, 1);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(await decisionsIn(store)).toMatchObject([
      { type: 'FileRefused', data: { reason: 'inspection-failed' } },
    ]);
    expect(begun).toBe(3);
    expect(tries.counts.size).toBe(0);
  });

  test('counts inspections whose process died', async () => {
    const store = await emptyLog();
    await uploaded(store, 1);
    // Three processes were killed while inspecting it.
    for (let killed = 0; killed < 3; killed += 1) await tries.begin(numbered(1));
    let begun = 0;
    await inspecting(store, async () => {
      begun += 1;
      return cleared;
    });
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(await decisionsIn(store)).toMatchObject([{ data: { reason: 'inspection-failed' } }]);
    expect(begun).toBe(0);
  });

  test('does not count inspections interrupted by the scanner, the storage or a stop', async () => {
    const store = await emptyLog();
    const failures = [
      ...Array.from({ length: 4 }, () => new ScannerUnavailable('down')),
      ...Array.from({ length: 4 }, () => new StorageUnavailable('down')),
    ];
    const first = await inspecting(store, async (_, signal) => {
      const failure = failures.pop();
      if (failure) throw failure;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    });
    await uploaded(store, 1);
    await until(() => failures.length === 0 && tries.counts.get(numbered(1)) === 1);
    await first.stop();
    expect(tries.counts.get(numbered(1))).toBe(0);
    expect(await decisionsIn(store)).toEqual([]);
    await inspecting(store, async () => cleared);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(await decisionsIn(store)).toMatchObject([{ type: 'FileCleared' }]);
  });

  test('refuses bytes that changed after completion', async () => {
    const store = await emptyLog();
    await inspecting(store, async () => {
      throw new ObjectChanged();
    });
    await uploaded(store, 1);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(await decisionsIn(store)).toMatchObject([
      { type: 'FileRefused', data: { reason: 'wrong-sha256' } },
    ]);
  });

  test('cuts an endless inspection at its deadline, even if it ignores the signal', async () => {
    const store = await emptyLog();
    let attempts = 0;
    await inspecting(
      store,
      () => ((attempts += 1) === 1 ? new Promise<Finding>(() => {}) : Promise.resolve(cleared)),
      { deadlineMs: 50 },
    );
    await uploaded(store, 1);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(attempts).toBe(2);
  });

  test('limits concurrent inspections, and completes all', async () => {
    const store = await emptyLog();
    let begun = 0;
    let now = 0;
    let most = 0;
    const inspect = async () => {
      begun += 1;
      most = Math.max(most, (now += 1));
      await until(() => now >= 3 || begun === 12, 'two others');
      now -= 1;
      return cleared;
    };
    await uploaded(store, ...Array.from({ length: 12 }, (_, n) => n));
    await inspecting(store, inspect, { concurrency: 3 });
    await until(async () => (await decisionsIn(store)).length === 12);
    expect(most).toBe(3);
  });

  test('inspects each file once in two processes', async () => {
    const store = await emptyLog();
    const inspected: string[] = [];
    const inspect = async ({ fileId }: ScanningFile) => {
      inspected.push(fileId);
      // Both know all files, and hold at most four each.
      await until(() => inspected.length >= 6, 'the others');
      return cleared;
    };
    await Promise.all([inspecting(store, inspect), inspecting(store, inspect)]);
    await uploaded(store, 1, 2, 3, 4, 5, 6);
    await until(async () => (await decisionsIn(store)).length === 6);
    expect(inspected.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map(numbered));
  });

  test('takes over a file that another process claimed and then left', async () => {
    const store = await emptyLog();
    const release = await claimsOf().claim(numbered(1));
    let attempts = 0;
    await inspecting(store, async () => ((attempts += 1), cleared));
    await uploaded(store, 1, 2);
    await until(async () => (await decisionsIn(store)).length === 1);
    expect(attempts).toBe(1);
    await release!();
    await until(async () => (await decisionsIn(store)).length === 2);
  });

  test('reports the number of files that wait too long, and the reason, until they are done', async () => {
    const store = await emptyLog();
    let isDown = true;
    const { failure } = await inspecting(
      store,
      async () => {
        if (isDown) throw new ScannerUnavailable('clamd does not answer');
        return cleared;
      },
      { overdueMs: 3_000 },
    );
    await uploaded(store, 1, 2);
    expect(failure()).toBeUndefined();
    await until(() => failure() === '2 files have waited for long: clamd does not answer');
    isDown = false;
    await until(() => failure() === undefined);
    expect(await decisionsIn(store)).toHaveLength(2);
  });

  test('recovers when the log and the read model were unreachable', async () => {
    const store = await emptyLog();
    let isDown = true;
    const ifUp = () => {
      if (isDown) throw new Error('connection terminated');
    };
    const broken: EventStore = {
      ...store,
      subscribe: (options) => {
        ifUp();
        return store.subscribe(options);
      },
    };
    const { lines } = await inspecting(broken, async () => cleared, {
      waiting: async (limit) => {
        ifUp();
        return waitingIn(store)(limit);
      },
    });
    await uploaded(store, 1);
    await until(() => lines().length >= 4);
    expect(await decisionsIn(store)).toEqual([]);
    isDown = false;
    await until(async () => (await decisionsIn(store)).length === 1);
  });

  test('decides nothing when stopped during an inspection', async () => {
    const store = await emptyLog();
    let told: boolean | undefined;
    const { stop } = await inspecting(store, async (_, signal) => {
      told = false;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      told = true;
      return cleared;
    });
    await uploaded(store, 1);
    await until(() => told === false);
    await stop();
    expect(told).toBe(true);
    expect(await decisionsIn(store)).toEqual([]);
  });
});
