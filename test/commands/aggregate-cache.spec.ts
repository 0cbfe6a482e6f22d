import { AggregateLoader } from '../../src/commands/aggregate-cache.ts';
import { jobOf } from '../../src/commands/job/job.ts';
import type { EventStore } from '../../src/events/event-store.ts';
import { jobClosed, jobId, jobPosted } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

const job = jobOf(jobId);

/** A store whose next read answers with what it has read only when it is released. */
function withSlowRead(store: EventStore) {
  const held = Promise.withResolvers<void>();
  let isNext = true;
  return {
    release: held.resolve,
    store: {
      ...store,
      async readStream(...asked: Parameters<EventStore['readStream']>) {
        const isHeld = isNext;
        isNext = false;
        const events = await store.readStream(...asked);
        if (isHeld) await held.promise;
        return events;
      },
    },
  };
}

describe('A state that is forgotten', () => {
  test.each(['load', 'refresh'] as const)('does not come back by a %s that began before', async (way) => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted);
    const { store, release } = withSlowRead(log);
    const loader = new AggregateLoader(store, new Map());
    const before = loader[way](job);
    await happened(log, jobClosed);
    loader.forget(job);
    release();
    expect((await before).state.status).toBe('open');
    expect((await loader.load(job)).state.status).toBe('closed');
  });

  test('is kept again by a read that begins afterwards, whichever ends first', async () => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted);
    const { store, release } = withSlowRead(log);
    const loader = new AggregateLoader(store, new Map());
    const before = loader.refresh(job);
    await happened(log, jobClosed);
    loader.forget(job);
    await loader.refresh(job);
    release();
    await before;
    expect(loader.guess(job).state.status).toBe('closed');
  });
});
