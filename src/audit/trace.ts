import type { EventStore, Recorded, Revision } from '../events/event-store.ts';
import { chatGroupStream, conversationStream, type Stream } from '../events/streams.ts';
import { categoryOf } from '../events/streams.ts';
import { type Line, toLine } from './line.ts';
import { lastRevision } from './moment.ts';
import type { MayRead } from './redact.ts';
import type { StoredLog } from './stored-log.ts';

/** How an event is connected with the one that it is listed under. */
export type Relation =
  /** One is the direct cause of the other. */
  | 'caused'
  /** The decision of one relied on the other, as a message relies on its sender's membership. */
  | 'reliedOn';

export interface TraceNode extends Omit<Line, 'recordedAt'> {
  /** Null for the event that was asked for. */
  relation: Relation | null;
  causes: TraceNode[];
  effects: TraceNode[];
}

export interface Trace {
  event: TraceNode;
  /** True when there are, or may be, more causes or effects than are shown. */
  truncated: boolean;
}

export interface TraceDeps {
  store: Pick<EventStore, 'readStream' | 'revisions' | 'find'>;
  storedLog: Pick<StoredLog, 'causedBy'>;
  mayRead: MayRead;
}

/** Number of events in a trace, and of those in one step. */
const [MOST_NODES, MOST_IN_STEP] = [500, 100];
/** Number of events of one stream that a step looks at. */
const MOST_LOOKED = 2_000;
const PAGE = 500;

type Found = readonly [relation: Relation, event: Recorded];

/**
 * Resolves with the tree of an event: up to everything that it followed from, and down to everything that followed
 * from it. Each event is in it once. Undefined without such an event.
 */
export async function trace(
  id: string,
  { store, storedLog, mayRead }: TraceDeps,
): Promise<Trace | undefined> {
  const seen = new Set<string>();
  let truncated = false;

  const nodeOf = (event: Recorded, relation: Relation | null): TraceNode => {
    const { recordedAt: _, ...line } = toLine(event, mayRead);
    return { ...line, relation, causes: [], effects: [] };
  };

  /** Adds the events in one direction, level by level, so that a limit cuts off the most distant ones. */
  async function grow(
    root: TraceNode,
    event: Recorded,
    direction: 'causes' | 'effects',
    next: (event: Recorded) => Promise<Found[]>,
  ): Promise<void> {
    const waiting: [TraceNode, Recorded][] = [[root, event]];
    for (const [node, from] of waiting)
      for (const [relation, found] of await next(from)) {
        if (seen.has(found.id)) continue;
        if (seen.size >= MOST_NODES) {
          truncated = true;
          return;
        }
        seen.add(found.id);
        const child = nodeOf(found, relation);
        node[direction].push(child);
        waiting.push([child, found]);
      }
  }

  async function causesOf({ metadata }: Recorded): Promise<Found[]> {
    const { causationId, reliedOn = {}, actorId } = metadata;
    const cause = causationId === null ? undefined : await store.find(causationId);
    const others = await Promise.all(
      Object.entries(reliedOn).map(([stream, revision]) => decisive(stream as Stream, revision, actorId)),
    );
    return [
      ...(cause ? [['caused', cause] as const] : []),
      ...others.filter((event) => event !== undefined).map((event) => ['reliedOn', event] as const),
    ];
  }

  /**
   * Resolves with the event that a decision relied on in a stream at a revision: the last one about the actor, such as
   * its membership; otherwise the last one.
   */
  async function decisive(
    stream: Stream,
    revision: Revision,
    actorId: string | null,
  ): Promise<Recorded | undefined> {
    let last: Recorded | undefined;
    for (let to = revision; to >= 0 && to > revision - MOST_LOOKED; to -= PAGE) {
      const from = Math.max(0, to - PAGE + 1);
      const events = await store.readStream(stream, { from, limit: to - from + 1 });
      last ??= events.at(-1);
      const about = events.findLast(({ data }) => 'userId' in data && data.userId === actorId);
      if (about) return about;
    }
    return last;
  }

  async function effectsOf(event: Recorded): Promise<Found[]> {
    // Nothing follows from an event of a conversation.
    if (categoryOf(event.stream) === 'conversation') return [];
    const { events, isComplete } = await storedLog.causedBy(event, MOST_IN_STEP);
    truncated ||= !isComplete;
    const caused = await Promise.all(events.map(({ id: effectId }) => store.find(effectId)));
    const relying = event.type === 'MemberJoined' ? await sentAsMember(event) : [];
    return [
      ...caused.filter((each) => each !== undefined).map((each) => ['caused', each] as const),
      ...relying.map((each) => ['reliedOn', each] as const),
    ];
  }

  /** Resolves with what a member did in the conversation while this membership lasted. */
  async function sentAsMember({
    data: { groupId, userId },
    position,
    revision,
  }: Extract<Recorded, { type: 'MemberJoined' }>): Promise<Recorded[]> {
    const [group, conversation] = [chatGroupStream(groupId), conversationStream(groupId)];
    const left = (await store.readStream(group, { from: revision + 1, limit: MOST_LOOKED })).find(
      ({ type, data }) =>
        (type === 'MemberLeft' || type === 'MemberRemoved') && 'userId' in data && data.userId === userId,
    );
    const head = (await store.revisions([conversation])).get(conversation) ?? -1;
    const eventAt = async (from: Revision) => (await store.readStream(conversation, { from, limit: 1 }))[0];
    const before = await lastRevision(head, (event: Recorded) => event.position <= position, eventAt);
    const found: Recorded[] = [];
    for (let from = before + 1; from <= head; from += PAGE) {
      if (found.length > MOST_IN_STEP || from > before + MOST_LOOKED) {
        truncated = true;
        break;
      }
      for (const event of await store.readStream(conversation, { from, limit: PAGE })) {
        const relied = event.metadata.reliedOn?.[group];
        if (event.metadata.actorId !== userId || relied === undefined) continue;
        if (relied >= revision && (!left || relied < left.revision)) found.push(event);
      }
    }
    truncated ||= found.length > MOST_IN_STEP;
    return found.slice(0, MOST_IN_STEP);
  }

  const event = await store.find(id);
  if (!event) return undefined;
  seen.add(event.id);
  const root = nodeOf(event, null);
  await grow(root, event, 'causes', causesOf);
  await grow(root, event, 'effects', effectsOf);
  return { event: root, truncated };
}
