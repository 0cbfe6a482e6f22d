import Sequencer from '@jest/test-sequencer';

/** They wait more than they work: begun last, they would go on alone. */
const LONGEST = [
  'test/journeys/cluster.spec.ts',
  'test/journeys/notifications-crash.spec.ts',
  'test/platform/rabbitmq-queue.spec.ts',
];

const rank = ({ path }) => {
  const place = LONGEST.findIndex((name) => path.endsWith(name));
  return place < 0 ? LONGEST.length : place;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
