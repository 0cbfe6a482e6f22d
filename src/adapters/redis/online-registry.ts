import type { ChainableCommander } from 'ioredis';
import { z } from 'zod';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Attendance, OnlineRegistry } from '../../realtime/presence/online-registry.ts';
import { ANSWER_MS, inTime, usable } from './link.ts';
import type { RedisLinks } from './links.ts';

/** Number of users reported or looked up in one round trip. */
const USERS_AT_ONCE = 500;

/** The port's `ATTENDANCE_MS`: adapters import only types of it. */
const KEPT_MS = 60_000;

/**
 * The report of one node about one user, and its time: in ms since 1970, by that node's clock. Nodes of other
 * versions read it too, so its fields keep their names: `unheard` holds the port's `leftRooms`.
 */
const storedReport = z.object({
  at: z.number(),
  sockets: z.number().int().nonnegative(),
  received: z.array(
    z
      .object({
        from: z.number(),
        until: z.number(),
        unheard: z.array(z.string().transform((id) => id as GroupId)),
      })
      .transform(({ from, until, unheard }) => ({ from, until, leftRooms: unheard })),
  ),
});

const reportText = (at: number, { sockets, received }: Attendance): string =>
  JSON.stringify({
    at,
    sockets,
    received: received.map(({ from, until, leftRooms }) => ({ from, until, unheard: leftRooms })),
  });

/**
 * Creates the registry: a hash for each user, `chat:attendance:<user>`, with a field for each node. When a
 * node's clock is off by s seconds, its reports live that much longer or shorter.
 */
export function createRedisOnlineRegistry({
  redis: { commands },
  nodeId,
  now = Date.now,
}: {
  redis: Pick<RedisLinks, 'commands'>;
  nodeId: string;
  now?: () => number;
}): OnlineRegistry {
  function queueReport(pipeline: ChainableCommander, userId: UserId, attendance: Attendance): void {
    const key = keyOf(userId);
    if (attendance.sockets === 0 && attendance.received.length === 0) {
      pipeline.hdel(key, nodeId);
    } else {
      pipeline.hset(key, nodeId, reportText(now(), attendance));
      pipeline.pexpire(key, KEPT_MS);
    }
  }

  /** Returns the reports that have not expired, by node. */
  function current(fields: Record<string, string>): Map<string, Attendance> {
    const attendances = new Map<string, Attendance>();
    for (const [node, text] of Object.entries(fields)) {
      const { success, data } = storedReport.safeParse(parsed(text));
      if (success && now() - data.at <= KEPT_MS)
        attendances.set(node, { sockets: data.sockets, received: data.received });
    }
    return attendances;
  }

  return {
    async report(attendances) {
      for (const some of chunks([...attendances])) {
        const pipeline = usable(commands).pipeline();
        for (const [userId, attendance] of some) queueReport(pipeline, userId, attendance);
        await answersOf(pipeline);
      }
    },
    async admit(userId, attendance, most) {
      const at = now();
      const { sockets } = attendance;
      const text = reportText(at, attendance);
      const key = keyOf(userId);
      const asked = usable(commands).eval(ADMIT, 1, key, nodeId, at, KEPT_MS, sockets, most, text);
      return (await inTime(asked, ANSWER_MS)) === 1;
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

/**
 * Counts and reports in one step, so that of two nodes that admit at the same time the second sees the first.
 * Fields that no node would write are ignored.
 */
const ADMIT = `
  local node, at, kept, sockets, most, text =
    ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
  local all = sockets
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local isJson, report = pcall(cjson.decode, fields[i + 1])
    if fields[i] ~= node and isJson and type(report) == 'table' and type(report.at) == 'number'
      and type(report.sockets) == 'number' and report.sockets > 0 and at - report.at <= kept then
      all = all + report.sockets
    end
  end
  if all > most then return 0 end
  redis.call('HSET', KEYS[1], node, text)
  redis.call('PEXPIRE', KEYS[1], kept)
  return 1`;

/** Written by the first node that finds it missing: Redis has just been started, or emptied. */
const SINCE = 'chat:attendance-since';
const keyOf = (userId: UserId) => `chat:attendance:${userId}`;

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += USERS_AT_ONCE)
    yield items.slice(from, from + USERS_AT_ONCE);
}

/** Resolves with Redis' answers to the commands. Rejects when Redis refuses any, or some were not sent. */
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
