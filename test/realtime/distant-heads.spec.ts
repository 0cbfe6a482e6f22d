import { GroupId } from '../../src/events/ids.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { uuid } from '../support/language/example-events.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

/** A user with more threads than a socket gets rooms for. The read model is set by the test. */
describe('the heads of threads whose rooms a socket has not entered', () => {
  const THREADS = 2_500;
  const threads = Array.from({ length: THREADS }, (_, n) => GroupId.parse(uuid(0x90_0000 + n)));
  let world: World;
  let entered: GroupId;
  /** What has moved since the user connected. */
  let moved: { groupId: GroupId; headSeq: number }[] = [];
  const asked: number[] = [];
  const alice = newUser();

  beforeAll(async () => {
    const first = await createWorld();
    entered = await first.group(alice);
    const { store } = first;
    await first.stop();
    world = await createWorld({
      store,
      settings: { headsIntervalMs: 50 },
      queries: {
        roomsOfUser: async () => ({ rooms: [{ groupId: entered, kind: 'thread' }], hasMore: true }),
        async headsOfThreads({ after }) {
          asked.push(after);
          const all = threads.map((groupId, n) => ({ groupId, headSeq: n + 1 }));
          return after < 0 ? [{ groupId: entered, headSeq: 1 }, ...all] : moved;
        },
      },
    });
  });
  afterAll(() => world?.stop());

  test('are told to a new socket, in frames of at most 64 KiB', async () => {
    const raw = await openRawSocket(world.url);
    const frames: string[] = [];
    raw.ws.on('message', (data: Buffer) => frames.push(String(data)));
    raw.connect(world.token(alice));
    const headsIn = () =>
      frames
        .filter((frame) => frame.startsWith('42["heads"'))
        .map((frame) => JSON.parse(frame.slice(2)) as [string, { groups: Record<string, number> }])
        .flatMap(([, { groups }]) => Object.entries(groups));
    await until(() => new Map(headsIn()).size >= THREADS, 'all heads');
    const told = new Map(headsIn());
    for (const [n, groupId] of threads.entries()) expect(told.get(groupId)).toBe(n + 1);
    expect(Math.max(...frames.map((frame) => Buffer.byteLength(frame)))).toBeLessThanOrEqual(65_536);
    raw.ws.close();
  });

  test('are told again once they have moved, and not those of rooms that it is in', async () => {
    const client = world.connect({ token: world.token(alice) });
    await client.hears('joinRoom');
    await client.hears('heads', ({ groups }) => threads[0]! in groups);
    moved = [
      { groupId: threads[7]!, headSeq: 99 },
      { groupId: entered, headSeq: 5 },
    ];
    const other = newUser();
    await world.group(other);
    const { groups } = await client.hears('heads', (heads) => heads.groups[threads[7]!] === 99);
    expect(groups).toEqual({ [threads[7]!]: 99 });
    expect(asked.filter((after) => after >= 0).length).toBeGreaterThan(0);
  });
});
