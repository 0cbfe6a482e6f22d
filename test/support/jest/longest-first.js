import Sequencer from '@jest/test-sequencer';

/**
 * Suites that wait more than they compute: if started last, they would run alone. CPU-bound suites are not
 * listed, so that two of them seldom run together. The suite that counts the work of modules comes first,
 * while its worker has loaded nothing else: the count covers everything loaded so far.
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
