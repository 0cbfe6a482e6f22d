import { randomUUID } from 'node:crypto';
import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import { chatGroupOf } from '../../../src/commands/chat-group/chat-group.ts';
import { jobOf } from '../../../src/commands/job/job.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { GroupId, JobId, UserId } from '../../../src/events/ids.ts';
import type { Stream } from '../../../src/events/streams.ts';
import { createFoldCache } from '../../../src/adapters/memory/fold-cache.ts';
import { createInMemoryEventStore } from '../../support/language/in-memory-event-store.ts';

const MIB = 1_048_576;

describe('The cache of folded streams', () => {
  const store = createInMemoryEventStore();

  async function record(stream: Stream, ...events: DomainEvent[]) {
    await store.append({
      stream,
      events: events.map((event) => ({ id: randomUUID(), event })),
      expected: 'any',
      occurredAt: new Date().toISOString(),
      metadata: { actorId: null, correlationId: randomUUID(), causationId: null },
    });
  }

  async function job(description: string) {
    const ids = {
      jobId: randomUUID() as JobId,
      groupId: randomUUID() as GroupId,
      companyId: randomUUID() as UserId,
    };
    const ref = jobOf(ids.jobId);
    await record(ref.stream, {
      type: 'JobPosted',
      data: { ...ids, title: 'Engineer', description, location: null },
    });
    return ref;
  }

  /** Returns how many of `jobs` jobs a cache of 1 MiB keeps. */
  async function keptOf(jobs: number, description: string): Promise<number> {
    const cache = createFoldCache(MIB);
    const loader = new AggregateLoader(store, cache);
    for (let posted = 0; posted < jobs; posted += 1) await loader.load(await job(description));
    return cache.size;
  }

  test('keeps fewer streams when they are larger', async () => {
    expect(await keptOf(200, 'short')).toBe(200);
    const kept = await keptOf(200, 'x'.repeat(10_000));
    expect(kept).toBeGreaterThan(10);
    expect(kept).toBeLessThanOrEqual(MIB / 10_000);
  });

  test('evicts streams when one that it holds grows', async () => {
    const cache = createFoldCache(MIB);
    const loader = new AggregateLoader(store, cache);
    const small = await job('short');
    await loader.load(small);
    for (let others = 0; others < 30; others += 1) await loader.load(await job('short'));
    const groupId = randomUUID() as GroupId;
    const adminId = randomUUID() as UserId;
    const group = chatGroupOf(groupId);
    await record(group.stream, {
      type: 'ChatGroupCreated',
      data: { groupId, jobId: null, name: 'A group', adminId },
    });
    await loader.load(group);
    expect(cache.size).toBe(32);

    const join = (): DomainEvent => ({
      type: 'MemberJoined',
      data: { groupId, userId: randomUUID() as UserId, role: 'member' },
    });
    await record(group.stream, ...Array.from({ length: 6_900 }, join));
    await loader.refresh(group);
    expect([cache.get(small.stream), cache.get(group.stream)]).toStrictEqual([undefined, expect.anything()]);
  });
});
