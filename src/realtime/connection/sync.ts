import type { Actor } from '../../commands/command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { type Envelope, isConversationEvent, toEnvelope } from '../../protocol/envelope.ts';
import { type UnseenBy, isEdit, withoutText } from '../delivery/unseen.ts';
import type { EventStore, Recorded } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { conversationStream } from '../../events/streams.ts';
import { waitFor } from '../../kit/wait-for.ts';
import type { Positions } from '../../protocol/positions.ts';
import { headSeqs } from '../rooms/heads.ts';
import type { Membership } from '../rooms/membership.ts';
import { type Answer, type Payload, SYNC_EVENTS } from './protocol.ts';

/**
 * Maximum size of an answer, well below the limit of unsent bytes of a socket. The client calls again for the
 * rest.
 */
const MAX_ANSWER_BYTES = 393_216;
/** Maximum number of events in one read, so that large events are not read in vain. */
const PAGE = 100;

/** Time that this node may lag behind another one that has told the client of a seq, and the interval of looks. */
const LAG = { mostMs: 1_000, lookMs: 100 };

interface Limits {
  afterSeq: number;
  headSeq: number;
  /** In bytes. */
  room: number;
  /** The member that does not see all of the conversation. */
  hiddenFrom: UserId | undefined;
}

interface SyncDeps {
  store: Pick<EventStore, 'readStream' | 'revisions'>;
  membership: Membership;
  positions: Pick<Positions, 'epoch'>;
  firstSeqs: FirstSeqs;
  unseenBy: UnseenBy;
}

/**
 * Resolves with the seq of the first message that a member sees in each of the groups, at least as the log was at the
 * call; null where there is none yet. Groups of which it sees everything are absent. Rejects with `NotCaughtUp`.
 */
export type FirstSeqs = (
  groupIds: readonly GroupId[],
  userId: UserId,
) => Promise<ReadonlyMap<GroupId, number | null>>;

/**
 * Returns the function that resolves with the events that a client missed, from the log. Groups that the
 * caller is not a member of are listed as denied. If all of them are, it throws `CommandRejected`
 * GROUP_NOT_FOUND. Where the client knows of another epoch, or of a seq that the log does not have, the group
 * is reset.
 */
export function syncFrom({ store, membership, firstSeqs, unseenBy, positions: { epoch } }: SyncDeps) {
  type Asked = Payload<'sync'>['groups'];

  /** Resolves with the heads, once they are no longer behind what the caller has seen of its groups; at most 1 s later. */
  async function headsFor(groups: Asked, actor: Actor): Promise<Map<GroupId, number>> {
    const asked = groups.map(({ groupId }) => groupId);
    let heads = await headSeqs(store, asked);
    const isBehind = ({ groupId, afterSeq }: Asked[number]) => afterSeq > heads.get(groupId)!;
    if (!groups.some(isBehind)) return heads;
    const inside = await membership.among(asked, actor);
    const own = groups.filter(({ groupId }) => inside.has(groupId));
    const isThere = async () => {
      heads = await headSeqs(store, asked);
      return !own.some(isBehind);
    };
    await waitFor(isThere, LAG.mostMs, LAG.lookMs);
    return heads;
  }

  return async function sync({ groups, ...client }: Payload<'sync'>, actor: Actor): Promise<Answer<'sync'>> {
    const known = client.epoch ?? epoch;
    const asked = groups.map(({ groupId }) => groupId);
    // The order matters: a user who is a member after the heads were read may see everything up to them.
    const heads = known === epoch ? await headsFor(groups, actor) : await headSeqs(store, asked);
    const inside = await membership.among(asked, actor);
    if (inside.size === 0) throw new CommandRejected('GROUP_NOT_FOUND');

    const limited = asked.filter((groupId) => inside.get(groupId)?.historyFrom === 'joined');
    const firsts = limited.length > 0 ? await firstSeqs(limited, actor.userId) : new Map<GroupId, null>();
    const answers = [];
    let room = MAX_ANSWER_BYTES;
    for (const { groupId, afterSeq: from } of groups.filter((each) => inside.has(each.groupId))) {
      const headSeq = heads.get(groupId)!;
      // What was said before the caller joined does not exist for it, and neither do changes of it until somebody speaks.
      const first = firsts.get(groupId);
      const begin = first === undefined ? {} : { firstSeq: first ?? headSeq + 1 };
      const afterSeq = Math.max(from, (begin.firstSeq ?? 1) - 1);
      if (known !== epoch || from > headSeq) {
        answers.push({ groupId, epoch, reset: true, headSeq, ...begin });
        continue;
      }
      const limits = { afterSeq, headSeq, room, hiddenFrom: first === undefined ? undefined : actor.userId };
      const { events, bytes, isAtEnd } = await read(groupId, limits);
      room -= bytes;
      const lastSeq = events.at(-1)?.seq ?? afterSeq;
      answers.push({ groupId, events, headSeq, ...begin, complete: isAtEnd || lastSeq >= headSeq });
    }
    const denied = asked.filter((groupId) => !inside.has(groupId));
    return { epoch, groups: answers as Answer<'sync'>['groups'], denied };
  };

  /** Resolves with the ids of those edits whose messages a member does not see. */
  async function hiddenAmong(page: readonly Recorded[], userId: UserId): Promise<Set<string>> {
    const edits = page.filter(isEdit);
    if (edits.length === 0) return new Set();
    const unseen = await unseenBy(edits.map(({ data }) => data.messageId));
    return new Set(
      edits.filter(({ data }) => unseen.get(data.messageId)?.includes(userId)).map(({ id }) => id),
    );
  }

  /** Resolves with the events after `afterSeq` up to `headSeq`, as many as there is room for. */
  async function read(groupId: GroupId, { afterSeq, headSeq, room, hiddenFrom }: Limits) {
    const events: Envelope[] = [];
    const stream = conversationStream(groupId);
    const end = Math.min(headSeq, afterSeq + SYNC_EVENTS);
    let bytes = 0;
    for (let next = afterSeq; next < end && bytes < room;) {
      const page = await store.readStream(stream, { from: next, limit: Math.min(PAGE, end - next) });
      // The last events of a damaged stream cannot be read.
      if (page.length === 0) return { events, bytes, isAtEnd: true };
      next = page.at(-1)!.revision + 1;
      const hidden = hiddenFrom && (await hiddenAmong(page, hiddenFrom));
      for (const event of page.filter(isConversationEvent)) {
        if (bytes >= room) break;
        const envelope = hidden?.has(event.id) ? withoutText(toEnvelope(event)) : toEnvelope(event);
        events.push(envelope);
        bytes += Buffer.byteLength(JSON.stringify(envelope));
      }
    }
    return { events, bytes, isAtEnd: false };
  }
}
