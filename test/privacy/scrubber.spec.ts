import { type Scrubs, startScrubber } from '../../src/privacy/scrubber.ts';
import { until } from '../../tools/until.ts';
import { ErasureId, GroupId, UserId } from '../../src/events/ids.ts';
import { linesOf } from '../support/log-lines.ts';

const userId = UserId.parse('0197a000-0000-7000-8000-00000000000a');
const erasureId = ErasureId.parse('0197a000-0000-7000-8000-00000000000e');
const groupId = GroupId.parse('0197a000-0000-7000-8000-00000000000c');

/** Scrubs in memory; `run` does what it is told. */
function scrubsThat(run: Scrubs['run']) {
  const state = { asked: 0, done: 0, runs: 0, said: [] as string[] };
  const scrubs: Scrubs = {
    wanted: async () => (state.asked > state.done ? state.asked : undefined),
    async run(signal) {
      state.runs += 1;
      state.said.push('scrub');
      await run(signal);
    },
    async done(scrub) {
      state.done = scrub;
    },
  };
  const erasures: Parameters<typeof startScrubber>[0]['erasures'] = {
    toScrub: async () => [
      { userId, erasureId },
      { groupId, month: '2026-11' },
    ],
    forget: async () => void state.said.push('forget the person'),
    forgetMonth: async () => void state.said.push('forget the month'),
  };
  return { state, scrubs, erasures };
}

test('Clears once more what was cleared during the scrub before', async () => {
  const { state, ...parts } = scrubsThat(async () => {});
  state.asked = 1;
  const scrubber = startScrubber({ ...parts, log: linesOf('info').log });
  await until(() => state.done === 1);
  expect(state.said).toEqual(['forget the person', 'forget the month', 'scrub']);
  await scrubber.stop();
});

test('Scrubs what was asked for before it began, and no more', async () => {
  const { state, ...parts } = scrubsThat(async () => {
    state.asked = 5;
  });
  state.asked = 3;
  const scrubber = startScrubber({ ...parts, log: linesOf('info').log });
  await until(() => state.done === 3);
  expect(state.runs).toBe(1);
  await scrubber.stop();
});

test('Says what failed and that it is tried again, and does not count it as done', async () => {
  const { log, lines } = linesOf('warn');
  const { state, ...parts } = scrubsThat(async () => {
    throw new Error('the disk is full');
  });
  state.asked = 1;
  const scrubber = startScrubber({ ...parts, log });
  await until(() => lines().length > 0);
  expect(lines()).toMatchObject([
    {
      err: { message: 'the disk is full' },
      msg: 'erased rows are still in the files of the database; retrying in 5 s',
    },
  ]);
  expect(state.done).toBe(0);
  await scrubber.stop();
});

test('Stops in the midst of a scrub, without a warning', async () => {
  const { log, lines } = linesOf('warn');
  const { state, ...parts } = scrubsThat(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  state.asked = 1;
  const scrubber = startScrubber({ ...parts, log });
  await until(() => state.runs === 1);
  await scrubber.stop();
  expect([state.done, lines()]).toEqual([0, []]);
});
