import Sequencer from '@jest/test-sequencer';

/**
 * Begun last, they would go on alone: they wait more than they work. What works all the time is not among them, so that two
 * of that kind seldom meet. What counts the work of modules comes before all others, while its worker has loaded nothing
 * else: the count goes through all that has ever been loaded.
 */
const FIRST = [
  'test/files/sniffers-linear.spec.ts',
  'test/journeys/cluster.spec.ts',
  'test/journeys/notifications-crash.spec.ts',
  'test/adapters/rabbitmq/queue.spec.ts',
  'test/adapters/eventstoredb/appends.spec.ts',
  'test/adapters/pg-boss/queue.spec.ts',
  'test/adapters/embedded-postgres/embedded-postgres.spec.ts',
  'test/scripts/cluster.spec.ts',
];

const rank = ({ path }) => {
  const place = FIRST.findIndex((name) => path.endsWith(name));
  return place < 0 ? FIRST.length : place;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
