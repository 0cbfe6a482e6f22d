import type { ExistingGroup } from '../../commands/chat-group/chat-group.ts';
import type { Actor } from '../../commands/command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { type Envelope, isChatGroupEvent, isConversationEvent, toEnvelope } from '../../protocol/envelope.ts';
import { pushedAs } from '../delivery/delivery.ts';
import { type UnseenBy, isEdit, withoutText } from '../delivery/unseen.ts';
import type { EventStore, Recorded } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { isUnknown } from '../../events/stored-events.ts';
import { type Stream, chatGroupStream, conversationStream } from '../../events/streams.ts';
import { waitFor } from '../../kit/wait-for.ts';
import type { Positions } from '../../protocol/positions.ts';
import { type Heads, headsOf } from '../rooms/heads.ts';
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

/** A part of a stream: the events after `after` up to `head`, as many as there is room for. */
interface Stretch {
  after: number;
  head: number;
  /** In bytes. */
  room: number;
  /** Resolves with the envelopes of some events; undefined for one that is skipped. */
  shown: (page: readonly Recorded[]) => Promise<readonly (Envelope | undefined)[]>;
}

/** What is known of a group that a member asks about. */
interface Standing extends Pick<ExistingGroup, 'historyFrom'> {
  head: Heads;
  first: number | null | undefined;
  /** The member that does not see all of the conversation. */
  hiddenFrom: UserId | undefined;
  /** In bytes. */
  room: number;
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
export function syncFrom({ store, membership, firstSeqs, unseenBy, positions }: SyncDeps) {
  type Asked = Payload<'sync'>['groups'];
  const { epoch } = positions;

  /** Resolves with the heads, once they are no longer behind what the caller has seen of its groups; at most 1 s later. */
  async function headsFor(groups: Asked, actor: Actor): Promise<Map<GroupId, Heads>> {
    const asked = groups.map(({ groupId }) => groupId);
    let heads = await headsOf(store, asked);
    const isBehind = (each: Asked[number]) => isBeyond(each, heads.get(each.groupId)!);
    if (!groups.some(isBehind)) return heads;
    const inside = await membership.among(asked, actor);
    const own = groups.filter(({ groupId }) => inside.has(groupId));
    const isThere = async () => {
      heads = await headsOf(store, asked);
      return !own.some(isBehind);
    };
    await waitFor(isThere, LAG.mostMs, LAG.lookMs);
    return heads;
  }

  return async function sync({ groups, ...client }: Payload<'sync'>, actor: Actor): Promise<Answer<'sync'>> {
    const known = client.epoch ?? epoch;
    const asked = groups.map(({ groupId }) => groupId);
    // The order matters: a user who is a member after the heads were read may see everything up to them.
    const heads = known === epoch ? await headsFor(groups, actor) : await headsOf(store, asked);
    const inside = await membership.among(asked, actor);
    if (inside.size === 0) throw new CommandRejected('GROUP_NOT_FOUND');

    const limited = asked.filter((groupId) => inside.get(groupId)?.historyFrom === 'joined');
    const firsts = limited.length > 0 ? await firstSeqs(limited, actor.userId) : new Map<GroupId, null>();
    const answers = [];
    let room = MAX_ANSWER_BYTES;
    for (const each of groups.filter(({ groupId }) => inside.has(groupId))) {
      const { groupId } = each;
      const head = heads.get(groupId)!;
      const first = firsts.get(groupId);
      if (known !== epoch || isBeyond(each, head)) {
        answers.push({ groupId, epoch, reset: true, ...toldOf(each, head, first) });
        continue;
      }
      const hiddenFrom = first === undefined ? undefined : actor.userId;
      const { historyFrom } = inside.get(groupId)!;
      const missed = await catchUp(each, { head, first, historyFrom, hiddenFrom, room });
      room -= missed.bytes;
      answers.push(missed.answer);
    }
    const denied = asked.filter((groupId) => !inside.has(groupId));
    return { epoch, groups: answers as Answer<'sync'>['groups'], denied };
  };

  /** Resolves with the answer about one group, and its size. */
  async function catchUp(asked: Asked[number], { head, first, historyFrom, hiddenFrom, room }: Standing) {
    const { groupId, afterSeq, afterRoster } = asked;
    const told = toldOf(asked, head, first);
    const said = await read(conversationStream(groupId), {
      after: Math.max(afterSeq, (told.firstSeq ?? 1) - 1),
      head: head.headSeq,
      room,
      shown: hiddenFrom === undefined ? everything : seenBy(hiddenFrom),
    });
    const answer = { groupId, events: said.events, ...told, complete: said.isComplete };
    // Who came and went before the caller joined does not exist for it either: only the present members do.
    if (!asksForRoster(afterRoster) || historyFrom === 'joined') return { answer, bytes: said.bytes };
    const changes = await read(chatGroupStream(groupId), {
      after: afterRoster,
      head: head.rosterHead,
      room: room - said.bytes,
      shown: rosterChanges,
    });
    return {
      answer: { ...answer, roster: changes.events, complete: said.isComplete && changes.isComplete },
      bytes: said.bytes + changes.bytes,
    };
  }

  /** Resolves with the ids of those edits whose messages a member does not see. */
  async function hiddenAmong(page: readonly Recorded[], userId: UserId): Promise<Set<string>> {
    const edits = page.filter(isEdit);
    if (edits.length === 0) return new Set();
    const unseen = await unseenBy(edits.map(({ data }) => data.messageId));
    return new Set(
      edits.filter(({ data }) => unseen.get(data.messageId)?.includes(userId)).map(({ id }) => id),
    );
  }

  /** Shows a conversation to a member who does not see all of it. */
  function seenBy(userId: UserId): Stretch['shown'] {
    return async (page) => {
      const hidden = await hiddenAmong(page, userId);
      const envelopes = await everything(page);
      return page.map(({ id }, index) => {
        const envelope = envelopes[index];
        return envelope && hidden.has(id) ? withoutText(envelope) : envelope;
      });
    };
  }

  /** Resolves with a part of a stream. Skipped events do not count, so that each call leads on. */
  async function read(stream: Stream, { after, head, room, shown }: Stretch) {
    const events: Envelope[] = [];
    let bytes = 0;
    let next = after;
    const isFull = () => events.length >= SYNC_EVENTS || bytes >= room;
    while (next < head && !isFull()) {
      const page = await store.readStream(stream, { from: next, limit: Math.min(PAGE, head - next) });
      // The last events of a damaged stream cannot be read.
      if (page.length === 0) return { events, bytes, isComplete: true };
      const envelopes = await shown(page);
      for (const [index, { revision }] of page.entries()) {
        if (isFull()) break;
        next = revision + 1;
        const envelope = envelopes[index];
        if (!envelope) continue;
        events.push(envelope);
        bytes += Buffer.byteLength(JSON.stringify(envelope));
      }
    }
    return { events, bytes, isComplete: next >= head };
  }
}

type Known = Payload<'sync'>['groups'][number];

/** Returns true if a client knows more of a group than the log has. */
const isBeyond = ({ afterSeq, afterRoster }: Known, { headSeq, rosterHead }: Heads): boolean =>
  afterSeq > headSeq || (afterRoster ?? 0) > rosterHead;

const asksForRoster = (afterRoster: Known['afterRoster']): afterRoster is number =>
  afterRoster !== undefined && afterRoster !== null;

/**
 * Returns what every answer about a group says. What was said before the caller joined does not exist for it, and neither
 * do changes of it until somebody speaks.
 */
const toldOf = (
  { afterRoster }: Known,
  { headSeq, rosterHead }: Heads,
  first: Standing['first'],
): { headSeq: number; firstSeq?: number; rosterHead?: number } => ({
  headSeq,
  ...(first !== undefined && { firstSeq: first ?? headSeq + 1 }),
  ...(asksForRoster(afterRoster) && { rosterHead }),
});

const everything: Stretch['shown'] = async (page) =>
  page.map((event) => (isConversationEvent(event) ? toEnvelope(event) : undefined));

/** Shows the changes of a roster that are pushed. */
const rosterChanges: Stretch['shown'] = async (page) =>
  page.map((event) => {
    const isPushed = isChatGroupEvent(event) && !isUnknown(event) && pushedAs[event.type] !== undefined;
    return isPushed ? toEnvelope(event) : undefined;
  });
