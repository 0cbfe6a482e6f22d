import type { DomainEvent } from '../../src/events/domain-event.ts';
import { createOrphanJob } from '../../src/files/orphans.ts';
import { removeLeftoverBytes } from '../../src/files/remove-leftover-bytes.ts';
import {
  aboutFile,
  event,
  fileId,
  uploadRequested,
  uploaded,
  cleared,
} from '../support/language/example-events.ts';
import { commands } from '../support/language/command-stage.ts';
import { localStore } from '../support/servers/local-store.ts';
import { linesOf } from '../support/log-lines.ts';
import { until } from '../../tools/until.ts';

const HOUR_MS = 3_600_000;
const requestedAt = new Date('2026-01-02T03:04:05.678Z');
const after = (hours: number) => new Date(requestedAt.getTime() + hours * HOUR_MS);

let files: Awaited<ReturnType<typeof localStore>>;
beforeEach(async () => void (files = await localStore()));
afterEach(() => files.remove());

/** The job at a given time, with one file in the log that the read model may list as an orphan. */
async function job(history: DomainEvent[], overrides: Partial<Parameters<typeof createOrphanJob>[0]> = {}) {
  const stage = await commands({ history });
  const { log, lines } = linesOf('info');
  const asked: Date[] = [];
  const orphanJob = createOrphanJob({
    store: stage.store,
    orphans: async (before) => {
      asked.push(before);
      return before < requestedAt ? [] : [{ fileId, status: history.length === 1 ? 'pending' : 'clean' }];
    },
    waiting: async () => [],
    isCaughtUp: async () => true,
    handle: stage.handle,
    storage: files.storage,
    quotas: { releaseUnconfirmed: async () => {} },
    log,
    now: () => after(24.1),
    ...overrides,
  });
  const refusals = async () =>
    (await stage.log()).flatMap(({ type, data }) => (type === 'FileRefused' ? [data.reason] : []));
  return { ...stage, ...orphanJob, refusals, lines, asked };
}

describe('orphaned files', () => {
  test('are refused 24 h after an upload that was never completed, and not before', async () => {
    const early = await job([uploadRequested], { now: () => after(23.9) });
    expect(await early.run()).toBe(0);
    expect(await early.refusals()).toEqual([]);
    const late = await job([uploadRequested]);
    expect(await late.run()).toBe(1);
    expect(late.asked).toEqual([after(0.1)]);
    expect(await late.refusals()).toEqual(['never-completed']);
  });

  test('are refused with their bytes deleted when they were never attached to a message', async () => {
    const { run, refusals, log } = await job([uploadRequested, uploaded, cleared]);
    for (const folder of ['clean', 'thumbnails'] as const)
      await files.storage.put(`${folder}/${fileId}`, Buffer.from('a CV'), 'application/pdf');
    await run();
    expect(await refusals()).toEqual(['never-sent']);
    await removeLeftoverBytes(files.storage, { release: async () => {} })(await log());
    expect(await files.foldersOf(fileId)).toEqual([]);
  });

  test('return the reserved bytes of an interrupted request after an hour', async () => {
    const before: Date[] = [];
    const quotas = { releaseUnconfirmed: async (then: Date) => void before.push(then) };
    const { run } = await job([uploadRequested], { quotas });
    await run();
    expect(before).toEqual([after(23.1)]);
  });

  test('are refused once by repeated or concurrent runs', async () => {
    const { run, refusals } = await job([uploadRequested, uploaded, cleared]);
    await Promise.all([run(), run()]);
    expect(await run()).toBe(0);
    expect(await refusals()).toEqual(['never-sent']);
  });

  test('exclude a file that was completed after the query of the read model', async () => {
    const { run, refusals } = await job([uploadRequested, uploaded], {
      orphans: async () => [{ fileId, status: 'pending' }],
    });
    expect(await run()).toBe(0);
    expect(await refusals()).toEqual([]);
  });

  test('are not determined while the read model lags', async () => {
    await files.arrive(fileId, Buffer.from('a CV'));
    const { run, refusals, lines } = await job([uploadRequested, uploaded, cleared], {
      isCaughtUp: async () => false,
      now: () => new Date(Date.now() + 26 * HOUR_MS),
    });
    expect(await run()).toBe(0);
    expect(await refusals()).toEqual([]);
    expect(await files.foldersOf(fileId)).toEqual(['quarantine']);
    expect(lines()).toMatchObject([{ level: 40 }]);
  });

  test('are deleted from quarantine after 25 h', async () => {
    await files.arrive(fileId, Buffer.from('nobody knows it'));
    const at = (hours: number) =>
      job([], { orphans: async () => [], now: () => new Date(Date.now() + hours * HOUR_MS) });
    await (await at(24.9)).run();
    expect(await files.foldersOf(fileId)).toEqual(['quarantine']);
    await (await at(25.1)).run();
    expect(await files.foldersOf(fileId)).toEqual([]);
  });

  test('are kept in quarantine while files wait there for a scanner that is down', async () => {
    await files.arrive(fileId, Buffer.from('a CV'));
    const { run } = await job([], {
      orphans: async () => [],
      waiting: async () => [fileId],
      now: () => new Date(Date.now() + 48 * HOUR_MS),
    });
    await run();
    expect(await files.foldersOf(fileId)).toEqual(['quarantine']);
  });

  test('are handled by the next run after a failed one', async () => {
    let isDown = true;
    const { start, stop, refusals, lines } = await job([uploadRequested], {
      everyMs: 10,
      isCaughtUp: async () => {
        if (isDown) throw new Error('connection refused');
        return true;
      },
    });
    start();
    await until(() => lines().length > 1);
    isDown = false;
    await until(async () => (await refusals()).length === 1);
    await stop();
  });

  test('are refused with the last event of the file as the cause', async () => {
    const { run, log } = await job([event('FileUploadRequested', { ...uploadRequested.data, ...aboutFile })]);
    await run();
    const [requested, refused] = await log();
    expect(refused!.metadata.causationId).toBe(requested!.id);
  });
});
