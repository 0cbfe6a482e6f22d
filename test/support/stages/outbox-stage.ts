import pg from 'pg';
import { pino } from 'pino';
import { standardPreferences } from '../../../src/commands/account/account.ts';
import type { Actor } from '../../../src/commands/command.ts';
import type { NotificationPreferences } from '../../../src/events/account.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { Recorded } from '../../../src/events/event-store.ts';
import type { FanOut } from '../../../src/notifications/decide/fan-outs.ts';
import type { Candidate } from '../../../src/notifications/notification.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createFanOuts } from '../../../src/adapters/postgres/notifications/fan-outs.ts';
import { createOutbox } from '../../../src/adapters/postgres/notifications/outbox.ts';
import { columnTypes, createPool, withSession } from '../../../src/adapters/postgres/connection.ts';
import { startProjections } from '../../../src/adapters/postgres/read-models/run-projections.ts';
import { accounts } from '../../../src/projections/accounts.ts';
import { chatGroups } from '../../../src/projections/chat-groups.ts';
import type { Projection } from '../../../src/projections/projection.ts';
import { createTestDatabase, TEMPLATE_WITH_READ_MODELS } from './database.ts';
import { event, groupId, registered, uuid } from '../language/example-events.ts';
import { streamOf } from '../language/history.ts';
import { createInMemoryEventStore } from '../language/in-memory-event-store.ts';

const START = Date.parse('2026-03-04T12:00:00.000Z');

/** A clock that advances only on request. */
export function stoppedClock() {
  let time = START;
  return {
    now: () => new Date(time),
    time: () => time,
    advance: (ms: number) => void (time += ms),
    in: (ms: number) => new Date(time + ms),
  };
}

const COLUMNS = `event_id as "eventId", recipient_id as "recipientId", channel, kind, group_id as "groupId",
  subject_id as "subjectId", seq, position`;

/** The outbox on a database of its own, with an account for every user registered in the log. */
export async function openOutboxStage() {
  const log = pino({ level: 'silent' });
  const database = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
  const { url } = database;
  const owner = new pg.Client({ connectionString: withSession(database.ownerUrl, {}), types: columnTypes });
  await owner.connect();
  const pool = createPool({ url, max: 6, applicationName: 'outbox', log });
  const store = createInMemoryEventStore();
  const clock = stoppedClock();
  const projections = await startProjections({
    store,
    databaseUrl: url,
    log,
    projections: [accounts as unknown as Projection, chatGroups as unknown as Projection],
  });

  async function happened(...events: DomainEvent[]): Promise<Recorded[]> {
    const recorded: Recorded[] = [];
    for (const each of events) {
      const verdict = await store.append({
        stream: streamOf(each),
        events: [{ id: newId(), event: each }],
        expected: 'any',
        occurredAt: clock.now().toISOString(),
        metadata: { actorId: null, correlationId: uuid(0xc1), causationId: null },
      });
      if (verdict.outcome !== 'appended') throw new Error(verdict.outcome);
      recorded.push(...verdict.events);
    }
    return recorded;
  }

  return {
    store,
    clock,
    pool,
    owner,
    projections,
    progress: projections.progress,
    outbox: createOutbox({ pool, now: clock.now }),
    fanOuts: createFanOuts({ pool, now: clock.now }),
    happened,
    /** Registers users, and waits until the read model shows them. */
    async register(...people: Actor[]) {
      const events = await happened(...people.map((person) => registered(person)));
      await projections.progress.reached(events.at(-1)!.position, 10_000);
    },
    prefers: ({ userId }: Actor, preferences: Partial<NotificationPreferences>) =>
      event('NotificationPreferencesSet', {
        userId,
        preferences: { ...standardPreferences, ...preferences },
      }),
    /** Adds a subscription, like a browser. */
    async subscribes({ userId, role }: Actor) {
      await owner.query(
        `insert into credentials (user_id, email, password_hash, role, display_name)
         values ($1::uuid, $1::text || '@example.org', '', $2, '')`,
        [userId, role],
      );
      await owner.query(
        `insert into push_subscriptions (endpoint, user_id, p256dh, auth)
         values ('https://push.example.org/' || $1::text, $1::uuid, '', '')`,
        [userId],
      );
    },
    async rows() {
      const { rows } = await owner.query<Candidate & { channel: string }>(
        `select ${COLUMNS} from notifications order by position, recipient_id, channel`,
      );
      return rows;
    },
    async close() {
      await projections.stop();
      await pool.end();
      await owner.end();
      await database.drop();
    },
  };
}

export type OutboxStage = Awaited<ReturnType<typeof openOutboxStage>>;

/** A recipient of the n-th event. */
export const candidate = (n: number, { userId }: Actor, more: Partial<Candidate> = {}): Candidate => ({
  eventId: uuid(0xe000 + n),
  recipientId: userId,
  kind: 'message',
  groupId,
  subjectId: uuid(0x40_0000 + n),
  seq: n,
  position: n,
  ...more,
});

/** The n-th event as a message whose audience is notified in slices. */
export const fanOutOf = (n: number, { userId }: Actor, { time }: { time: () => number }): FanOut => {
  const { recipientId: _, ...about } = candidate(n, { userId } as Actor);
  const notice = { ...about, kind: 'message' as const };
  return { notice, senderId: userId, roster: 1, sentAt: time(), pushedBy: time(), decideAt: time() + 9 };
};
