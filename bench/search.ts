import { randomUUID } from 'node:crypto';
import type { DomainEvent } from '../src/events/domain-event.ts';
import type { EventStore } from '../src/events/event-store.ts';
import { ClientMsgId, GroupId, MessageId, UserId } from '../src/events/ids.ts';
import { chatGroupStream, conversationStream } from '../src/events/streams.ts';
import { newId } from '../src/kit/uuids.ts';
import { createQueryPool } from '../src/adapters/postgres/query-pool.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { bindQueries } from '../src/queries/queries.ts';
import { type Bench, type Result, inFlight, median, quantile, round } from './bench.ts';
import { caughtUp, openLog } from './log.ts';
import { quiet, startPostgres } from './postgres.ts';
import { appendTo, naturalText } from './world.ts';

const TARGET_MS = 200;
const MESSAGES_PER_GROUP = 10;
const LIMIT = 50;
/** Reads consecutive pages by their cursors. */
const PAGES = 5;

/**
 * The share of the messages that contain a word. `elsewhere` is only in foreign groups; `accented` has an
 * accent.
 */
const WORDS = { frequent: 0.5, medium: 0.01, rare: 0.0005, elsewhere: 0.5, accented: 0.01 };
type Word = keyof typeof WORDS;
const words = Object.keys(WORDS) as Word[];

/** Twelve words with a natural frequency, followed by the words to search for. */
function textOf(isForeign: boolean): string {
  const searched = words.filter((word) => Math.random() < WORDS[word] && (isForeign || word !== 'elsewhere'));
  return [naturalText(), ...searched].join(' ').replace('accented', 'áccented');
}

const said = (groupId: GroupId, senderId: UserId, isForeign: boolean): DomainEvent => ({
  type: 'MessageSent',
  data: {
    groupId,
    messageId: MessageId.parse(newId()),
    senderId,
    clientMsgId: ClientMsgId.parse(randomUUID()),
    text: textOf(isForeign),
    fileIds: [],
    replyTo: null,
  },
});

interface Searchers {
  /** Owns `groups` groups. */
  company: UserId;
  /** Is a member of two groups of the company. */
  applicant: UserId;
  /** Is a member of `groups` groups, each with an owner of its own. */
  everywhere: UserId;
}

/** Fills the company's groups and as many foreign ones, which get half as many messages more, interleaved. */
async function fill(store: EventStore, groups: number): Promise<Searchers> {
  const append = appendTo(store);
  const newUser = () => UserId.parse(newId());
  const [company, applicant, everywhere] = [newUser(), newUser(), newUser()];
  const all = Array.from({ length: 2 * groups }, (_, index) => {
    const isForeign = index % 2 === 1;
    const adminId = isForeign ? newUser() : company;
    const others = isForeign ? [everywhere] : index < 4 ? [applicant] : [];
    return { groupId: GroupId.parse(newId()), adminId, isForeign, others };
  });
  await inFlight(500, all, ({ groupId, adminId, others }) =>
    append(
      chatGroupStream(groupId),
      {
        type: 'ChatGroupCreated',
        data: { groupId, jobId: null, name: 'A group of the benchmarks', adminId },
      },
      ...others.map((userId): DomainEvent => ({
        type: 'MemberJoined',
        data: { groupId, userId, role: 'member' },
      })),
    ),
  );
  const rounds = 5;
  for (let count = 0; count < rounds; count += 1)
    await inFlight(500, all, ({ groupId, adminId, isForeign }) => {
      const messages = (MESSAGES_PER_GROUP / rounds) * (isForeign ? 1.5 : 1);
      const events = Array.from({ length: messages }, () => said(groupId, adminId, isForeign));
      return append(conversationStream(groupId), ...events);
    });
  return { company, applicant, everywhere };
}

/**
 * Measures searches by a user in very many groups, for words of every frequency, page by page, among foreign
 * messages.
 */
export const search: Bench = {
  name: 'search',
  async run({ quick, say }) {
    const groups = quick ? 500 : 20_000;
    const samples = quick ? 3 : 20;
    const postgres = await startPostgres();
    try {
      const { store, databaseUrl, close } = await openLog(await postgres.createDatabase('search'));
      const projections = await startProjections({ store, databaseUrl, log: quiet });
      const searchers = await fill(store, groups);
      await caughtUp(store, projections);
      say(`search: ${groups * MESSAGES_PER_GROUP} messages in ${groups} groups, and foreign ones`);
      const db = await createQueryPool({ url: databaseUrl, log: quiet, max: 4, applicationName: 'bench' });
      const { searchMessages } = bindQueries(db);

      const pagesOf = async (userId: UserId, q: Word): Promise<number[]> => {
        const times: number[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < PAGES && (page === 0 || cursor !== undefined); page += 1) {
          const begun = performance.now();
          const found = await searchMessages({ userId, q, limit: LIMIT, cursor });
          times.push(performance.now() - begun);
          cursor = found.nextCursor ?? undefined;
        }
        return times;
      };

      const results: Result[] = [];
      for (const searcher of ['company', 'everywhere'] as const)
        for (const word of words) {
          const times: number[] = [];
          const peers: number[] = [];
          for (let sample = 0; sample < samples; sample += 1) {
            times.push(...(await pagesOf(searchers[searcher], word)));
            peers.push(...(await pagesOf(searchers.applicant, word)));
          }
          const [project, peer] = [quantile(times, 0.95), quantile(peers, 0.95)];
          results.push({
            bench: 'search',
            case: `${searcher}, ${word}`,
            project: round(project),
            peer: round(peer),
            ratio: round(project / peer),
            unit: 'ms',
            target: TARGET_MS,
            rule: 'project <= target',
            ok: project <= TARGET_MS,
            p50: round(median(times)),
            groups,
            messages: groups * MESSAGES_PER_GROUP,
          });
          say(`search: ${searcher}, ${word}: p50 ${round(median(times))} ms, p95 ${round(project)} ms`);
        }
      await db.end();
      await projections.stop();
      await close();
      return results;
    } finally {
      await postgres.stop();
    }
  },
};
