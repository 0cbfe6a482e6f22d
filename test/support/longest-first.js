import Sequencer from '@jest/test-sequencer';

/**
 * Begun last, they would go on alone: most of them wait more than they work. What counts the work of modules comes before
 * all others, while the worker has loaded nothing else: the count goes through all that has ever been loaded.
 */
const FIRST = [
  'test/files/sniffers-linear.spec.ts',
  'test/journeys/cluster.spec.ts',
  'test/journeys/notifications-crash.spec.ts',
  'test/platform/rabbitmq-queue.spec.ts',
  'test/scripts/cluster.spec.ts',
  'test/platform/eventstoredb-appends.spec.ts',
  'test/platform/embedded-postgres.spec.ts',
  'test/journeys/unread-log.spec.ts',
  'test/platform/pg-boss-queue.spec.ts',
  'test/journeys/crash-before-reaction.spec.ts',
  'test/journeys/stopped-neighbours.spec.ts',
  'test/files/corpus.spec.ts',
  'test/files/inspect.spec.ts',
  'test/journeys/hostile-files.spec.ts',
  'test/http/bad-input.spec.ts',
  'test/journeys/kill-nine.spec.ts',
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
