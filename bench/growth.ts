import { randomUUID } from 'node:crypto';
import type { ChatClient } from '../packages/chat-client/src/index.ts';
import type { UserId } from '../src/events/ids.ts';
import { call } from '../tools/rest.ts';
import { TEXT } from './append-peers.ts';
import { type Bench, type Result, median, round } from './bench.ts';
import { type Member, enter } from './member.ts';
import { type RunningServer, startFilledServer } from './running-server.ts';
import { type World, fillConversation, makeWorld } from './world.ts';

const SMALL = 10;
/** The number of small conversations, which take turns so that they stay small. */
const SMALL_GROUPS = 25;
const PAGE = 10;
const TARGET = 1.2;

type Group = World['groups'][number];

/** A conversation as one of its members sees it. */
interface Room extends Member {
  chat: ChatClient;
}

async function open({ server, tokenOf }: RunningServer<unknown>, group: Group): Promise<Room> {
  const userId = group.members[0] as UserId;
  const member = { userId, groupId: group.groupId, token: await tokenOf(userId) };
  return { ...member, chat: await enter(server.url, member) };
}

const send = ({ groupId, chat }: Room) =>
  chat.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: TEXT });

/** Measures an operation in a small and in a large conversation, alternately: the median time of each. */
async function compare(
  name: string,
  { large, small, samples }: { large: Room; small: Room[]; samples: number },
  work: (room: Room) => Promise<unknown>,
): Promise<Result> {
  const times = { large: [] as number[], small: [] as number[] };
  const time = async (room: Room) => {
    const begun = performance.now();
    await work(room);
    return performance.now() - begun;
  };
  for (let count = -SMALL_GROUPS; count < samples; count += 1) {
    const inSmall = await time(small[Math.abs(count) % small.length] as Room);
    const inLarge = await time(large);
    // The first call for each conversation is not counted: it fills caches.
    if (count < 0) continue;
    times.small.push(inSmall);
    times.large.push(inLarge);
  }
  const [project, peer] = [median(times.large), median(times.small)];
  return {
    bench: 'growth',
    case: name,
    project: round(project, 3),
    peer: round(peer, 3),
    ratio: round(project / peer),
    unit: 'ms',
    target: TARGET,
    rule: 'ratio <= target',
    ok: project / peer <= TARGET,
    samples,
  };
}

/** Compares sending and reading both ends of the history in a long and in a short conversation. */
export const growth: Bench = {
  name: 'growth',
  async run({ quick, say }) {
    const messages = quick ? 20_000 : 1_000_000;
    const started = performance.now();
    const running = await startFilledServer(async (store) => {
      const { groups } = await makeWorld(store, { groups: 1 + SMALL_GROUPS, members: 2 });
      for (const [index, group] of groups.entries())
        await fillConversation(store, group, index === 0 ? messages : SMALL);
      return groups;
    });
    say(
      `growth: ${messages} messages loaded and shown in ${round((performance.now() - started) / 1_000, 1)} s`,
    );
    const rooms: Room[] = [];
    try {
      for (const group of running.filled) rooms.push(await open(running, group));
      const [large, ...small] = rooms as [Room, ...Room[]];
      const page =
        (query: string) =>
        ({ groupId, token }: Room) =>
          call(running.server.url, 'GET', `/v1/groups/${groupId}/messages?limit=${PAGE}${query}`, { token });
      const sizes = { large, small, samples: quick ? 100 : 2_000 };
      const results = [
        await compare('history, newest page', sizes, page('')),
        await compare('history, deepest page', sizes, page(`&beforeSeq=${SMALL + 1}`)),
        await compare('send', sizes, send),
      ];
      for (const { case: name, project, peer } of results)
        say(`growth: ${name} ${project} ms, in small ones ${peer} ms`);
      return results.map((result) => ({ ...result, messages: { large: messages, small: SMALL } }));
    } finally {
      for (const { chat } of rooms) chat.close();
      await running.stop();
    }
  },
};
