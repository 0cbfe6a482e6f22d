import type { ChainableCommander } from 'ioredis';
import { z } from 'zod';
import type { GroupId, UserId } from '../events/ids.ts';
import type { Attendance, PresenceRegistry } from '../realtime/presence-registry.ts';
import { ANSWER_MS, inTime, usable } from './redis-link.ts';
import type { RedisLinks } from './redis-links.ts';

/** So many users are told or asked about in one round trip. */
const USERS_AT_ONCE = 500;

/** The port's `ATTENDANCE_MS`: adapters import types of it only. */
const KEPT_MS = 60_000;

/** What one node tells of one user, and when: in ms since 1970, by that node's clock. */
const told = z.object({
  at: z.number(),
  sockets: z.number().int().nonnegative(),
  received: z.array(
    z.object({
      from: z.number(),
      until: z.number(),
      unheard: z.array(z.string().transform((id) => id as GroupId)),
    }),
  ),
});

/**
 * A hash for each user, `chat:attendance:<user>`, with a field for each node. A node's clock that is off by s seconds
 * makes what it tells live that much longer or shorter.
 */
export function createRedisPresenceRegistry({
  redis: { commands },
  nodeId,
  now = Date.now,
}: {
  redis: Pick<RedisLinks, 'commands'>;
  nodeId: string;
  now?: () => number;
}): PresenceRegistry {
  function tell(pipeline: ChainableCommander, userId: UserId, { sockets, received }: Attendance): void {
    const key = keyOf(userId);
    if (sockets === 0 && received.length === 0) {
      pipeline.hdel(key, nodeId);
    } else {
      pipeline.hset(key, nodeId, JSON.stringify({ at: now(), sockets, received }));
      pipeline.pexpire(key, KEPT_MS);
    }
  }

  /** What nodes tell that is still of interest, by node. */
  function current(fields: Record<string, string>): Map<string, Attendance> {
    const attendances = new Map<string, Attendance>();
    for (const [node, text] of Object.entries(fields)) {
      const { success, data } = told.safeParse(parsed(text));
      if (success && now() - data.at <= KEPT_MS)
        attendances.set(node, { sockets: data.sockets, received: data.received });
    }
    return attendances;
  }

  return {
    async report(attendances) {
      for (const some of chunks([...attendances])) {
        const pipeline = usable(commands).pipeline();
        for (const [userId, attendance] of some) tell(pipeline, userId, attendance);
        await answersOf(pipeline);
      }
    },
    async admit(userId, attendance) {
      // Told before it is read, so that of two nodes that admit the last socket at the same time at least one sees both;
      // and all of it or nothing, so that nothing is left there for ever.
      const transaction = usable(commands).multi();
      tell(transaction, userId, attendance);
      transaction.hgetall(keyOf(userId));
      const fields = (await answersOf(transaction)).at(-1) as Record<string, string>;
      let sockets = 0;
      for (const there of current(fields).values()) sockets += there.sockets;
      return sockets;
    },
    async since() {
      const at = now();
      return Number((await usable(commands).set(SINCE, at, 'NX', 'GET')) ?? at);
    },
    async elsewhere(userIds) {
      const found = new Map<UserId, Attendance[]>();
      for (const some of chunks(userIds)) {
        const pipeline = usable(commands).pipeline();
        for (const userId of some) pipeline.hgetall(keyOf(userId));
        const answers = (await answersOf(pipeline)) as Record<string, string>[];
        for (const [index, userId] of some.entries()) {
          const attendances = current(answers[index]!);
          attendances.delete(nodeId);
          if (attendances.size > 0) found.set(userId, [...attendances.values()]);
        }
      }
      return found;
    },
  };
}

/** Written by the first node that finds nothing there: Redis has just been started, or emptied. */
const SINCE = 'chat:attendance-since';
const keyOf = (userId: UserId) => `chat:attendance:${userId}`;

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += USERS_AT_ONCE)
    yield items.slice(from, from + USERS_AT_ONCE);
}

/** What Redis answers to each of the commands. Rejects when it refuses any, or some were not sent. */
async function answersOf(pipeline: ChainableCommander): Promise<unknown[]> {
  const results = (await inTime(pipeline.exec(), ANSWER_MS)) ?? [];
  return results.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
