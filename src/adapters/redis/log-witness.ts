import { type Sighting, type Witness, parseSighting } from '../../events/sightings.ts';
import { ANSWER_MS, inTime, usable } from './link.ts';
import type { RedisLinks } from './links.ts';

const keyOf = (log: string) => `chat:log:${log}`;

/** `isNews` in one step, because nodes write at the same time. What is no sighting is replaced. */
const NOTE = `
  local isJson, kept = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
  local seen = cjson.decode(ARGV[1])
  if isJson and type(kept) == 'table' and type(kept.beganAt) == 'number' and type(kept.position) == 'number' then
    if kept.epoch == seen.epoch and kept.position >= seen.position then return end
    if kept.epoch ~= seen.epoch and kept.beganAt > seen.beganAt then return end
  end
  redis.call('SET', KEYS[1], ARGV[1])`;

/** Creates the witness in Redis: what all nodes together have seen of a log, in `chat:log:<its first event>`. */
export function createRedisLogWitness({
  redis: { commands },
}: {
  redis: Pick<RedisLinks, 'commands'>;
}): Witness {
  return {
    async recall(log) {
      const text = await inTime(usable(commands).get(keyOf(log)), ANSWER_MS);
      return text === null ? undefined : parseSighting(text);
    },
    async note(log, { epoch, beganAt, position }: Sighting) {
      const text = JSON.stringify({ epoch, beganAt, position });
      await inTime(usable(commands).eval(NOTE, 1, keyOf(log), text), ANSWER_MS);
    },
  };
}
