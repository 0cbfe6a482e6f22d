import type { Answer, Connection, Payload, ServerEvents } from './connection.ts';
import { asProblem } from './problem.ts';
import { backOff, pause } from './waiting.ts';

type Conversation = 'messageSent' | 'messageEdited' | 'messageDeleted' | 'reactionAdded' | 'reactionRemoved';
type Roster = 'memberJoined' | 'memberLeft' | 'memberRemoved' | 'groupClosed' | 'groupReopened';
/** An event of a conversation. `seq` is its place: 1, 2, 3 … */
export type ConversationEvent = ServerEvents[Conversation];
/** An event of the group itself. `roster` is the version of the member list. */
export type RosterEvent = ServerEvents[Roster];

const CONVERSATION = [
  'messageSent',
  'messageEdited',
  'messageDeleted',
  'reactionAdded',
  'reactionRemoved',
] as const;
const ROSTER = ['memberJoined', 'memberLeft', 'memberRemoved', 'groupClosed', 'groupReopened'] as const;

/** What takes the events of a group, in order. It ignores what it has: after a repair, events come again. */
export interface Follows {
  take?: (event: ConversationEvent) => void;
  takeRoster?: (event: RosterEvent) => void;
  /** Something has changed in the list of members that the server does not tell: read it again. */
  rosterChanged?: () => void;
  /** The seqs are of another log, which was restored to an earlier state: start anew. */
  reset?: () => void;
  /** True if a page of history is better than thousands of missed events: these then end in a `reset`. */
  skips?: boolean;
  /** The caller is not a member, or no longer. */
  gone?: () => void;
}

/** From where a group is followed. Undefined: nobody here follows the conversation, or the member list. */
interface Place {
  seq: number | undefined;
  roster: number | undefined;
}

interface Followed extends Place {
  followers: Set<Follows>;
}

/** A group is there, or has moved. */
export interface News {
  groupId: string;
  /** The head of its conversation; before an event that is pushed, the head without it. */
  headSeq: number;
}

export interface Follower {
  /** Delivers what comes after a place. Returns the function that ends that. */
  follow: (groupId: string, from: Partial<Place>, follows: Follows) => () => void;
  /** Whether the socket hears a group live. */
  isInRoom: (groupId: string) => boolean;
  /** Calls `listener` for every event and every head of any group, followed or not; for all groups after a reconnect. */
  onNews: (listener: (news: News) => void) => () => void;
  /** Returns the known groups with their heads. */
  known: () => News[];
}

type SyncAnswer = Answer<'sync'>;
const MOST_GROUPS = 100;
/** Number of missed events from which loading a page costs less than reading them all. */
const FAR = 2_000;

/**
 * Follows conversations by the rule of docs/realtime.md. Pushes are a hint: a gap, or a head beyond the last event, makes
 * it call `sync`, and so does every connection. Each event is delivered once and in order, except after a repair.
 */
export function createFollower(connection: Pick<Connection, 'on' | 'state' | 'insist'>): Follower {
  const groups = new Map<string, Followed>();
  const rooms = new Set<string>();
  const behind = new Set<string>();
  /** The heads of conversations, as far as they are known. */
  const heads = new Map<string, number>();
  const newsListeners = new Set<(news: News) => void>();
  let epoch: string | undefined;
  let isSyncing = false;

  function catchUp(groupIds: Iterable<string>): void {
    for (const groupId of groupIds) if (groups.has(groupId)) behind.add(groupId);
    if (isSyncing || behind.size === 0 || connection.state.getSnapshot().status !== 'open') return;
    isSyncing = true;
    // In a turn of its own, so that many groups which are followed at once are asked for together.
    void Promise.resolve()
      .then(sync)
      .finally(() => {
        isSyncing = false;
        // The connection may have come back in between.
        catchUp([]);
      });
  }

  function hear(event: ConversationEvent): void {
    const { groupId, seq } = event;
    tellNews({ groupId, headSeq: heads.get(groupId) ?? seq - 1 });
    raise(groupId, seq);
    const group = groups.get(groupId);
    if (group?.seq === undefined || seq <= group.seq) return;
    if (seq > group.seq + 1) return catchUp([groupId]);
    group.seq = seq;
    for (const { take } of [...group.followers]) take?.(event);
  }

  function hearRoster(event: RosterEvent): void {
    const group = groups.get(event.groupId);
    if (!group) return;
    if (group.roster === undefined) return group.followers.forEach(({ takeRoster: tell }) => tell?.(event));
    if (event.roster <= group.roster) return;
    // Some events of a group are nobody's business, so a gap may be none. The server knows.
    if (event.roster > group.roster + 1) return catchUp([event.groupId]);
    takeRoster(group, event);
  }

  function takeRoster(group: Followed, event: RosterEvent): void {
    group.roster = event.roster;
    for (const follows of [...group.followers]) follows.takeRoster?.(event);
  }

  function raise(groupId: string, headSeq: number): void {
    heads.set(groupId, Math.max(headSeq, heads.get(groupId) ?? 0));
  }

  function tellNews(news: News): void {
    for (const listener of [...newsListeners]) listener(news);
  }

  function learnHead(groupId: string, headSeq: number, rosterHead = 0): void {
    raise(groupId, headSeq);
    tellNews({ groupId, headSeq });
    const group = groups.get(groupId);
    if (!group) return;
    const { seq = Infinity, roster = Infinity } = group;
    if (headSeq > seq || rosterHead > roster) catchUp([groupId]);
  }

  function reset(groupId: string): void {
    const group = groups.get(groupId);
    if (!group) return;
    heads.delete(groupId);
    if (group.seq !== undefined) group.seq = 0;
    if (group.roster !== undefined) group.roster = 0;
    startAnew(group);
    if (groups.has(groupId)) behind.add(groupId);
  }

  /** Followers that load a page leave meanwhile, and follow again from where the page ends. */
  function startAnew({ followers }: Followed): void {
    for (const follows of [...followers]) follows.reset?.();
  }

  function end(groupId: string): void {
    const group = groups.get(groupId);
    rooms.delete(groupId);
    heads.delete(groupId);
    groups.delete(groupId);
    behind.delete(groupId);
    for (const { gone } of [...(group?.followers ?? [])]) gone?.();
  }

  async function sync(): Promise<void> {
    for (let failures = 0; behind.size > 0 && connection.state.getSnapshot().status === 'open';) {
      const asked = [...behind].slice(0, MOST_GROUPS);
      for (const groupId of asked) behind.delete(groupId);
      const answer = await askFor(asked).catch((error: unknown) => asProblem(error));
      if (answer instanceof Error) {
        if (answer.code === 'GROUP_NOT_FOUND') asked.forEach(end);
        else {
          for (const groupId of asked) if (groups.has(groupId)) behind.add(groupId);
          if (connection.state.getSnapshot().status !== 'open') return;
          await pause(answer.retryAfterMs ?? backOff(failures));
          failures += 1;
        }
        continue;
      }
      failures = 0;
      apply(answer);
    }
  }

  function askFor(asked: readonly string[]): Promise<SyncAnswer> {
    const places = asked.flatMap((groupId) => {
      const group = groups.get(groupId);
      if (!group) return [];
      const { seq, roster } = group;
      return [
        {
          groupId,
          afterSeq: seq ?? heads.get(groupId) ?? 0,
          ...(roster !== undefined && { afterRoster: roster }),
        },
      ];
    });
    return connection.insist('sync', { groups: places, epoch } as Payload<'sync'>);
  }

  function apply(answer: SyncAnswer): void {
    for (const groupId of answer.denied) end(groupId);
    const isRestored = epoch !== undefined && epoch !== answer.epoch;
    epoch = answer.epoch;
    if (isRestored) {
      heads.clear();
      return [...groups.keys()].forEach(reset);
    }
    for (const part of answer.groups) {
      const group = groups.get(part.groupId);
      if (!group) continue;
      if ('reset' in part) {
        reset(part.groupId);
        continue;
      }
      const { firstSeq = 1, headSeq } = part;
      if (headSeq - (group.seq ?? headSeq) > FAR && [...group.followers].every(({ skips }) => skips)) {
        raise(part.groupId, headSeq);
        startAnew(group);
        continue;
      }
      // The conversation begins there for the caller.
      if (group.seq !== undefined && firstSeq > group.seq + 1) group.seq = firstSeq - 1;
      for (const event of part.events) hear(event as ConversationEvent);
      raise(part.groupId, headSeq);
      applyRoster(group, part);
      if (!part.complete) behind.add(part.groupId);
    }
  }

  function applyRoster(
    group: Followed,
    part: { roster?: RosterEvent[]; rosterHead?: number; complete: boolean },
  ): void {
    if (group.roster === undefined) return;
    if (!part.roster) {
      // Where the history begins on joining, nobody learns who came and went before.
      if (part.rosterHead === undefined || part.rosterHead <= group.roster) return;
      group.roster = part.rosterHead;
      return group.followers.forEach(({ rosterChanged }) => rosterChanged?.());
    }
    for (const event of part.roster) if (event.roster > group.roster) takeRoster(group, event);
    if (part.complete && part.rosterHead !== undefined)
      group.roster = Math.max(group.roster, part.rosterHead);
  }

  for (const name of CONVERSATION) connection.on(name, (event) => hear(event));
  for (const name of ROSTER) connection.on(name, (event) => hearRoster(event));
  connection.on('joinRoom', ({ groupId, headSeq, rosterHead }) => {
    rooms.add(groupId);
    learnHead(groupId, headSeq, rosterHead);
  });
  connection.on('leaveRoom', ({ groupId }) => end(groupId));
  connection.on('heads', ({ groups: moved, rosters = {} }) => {
    for (const [groupId, headSeq] of Object.entries(moved)) learnHead(groupId, headSeq, rosters[groupId]);
    for (const [groupId, rosterHead] of Object.entries(rosters))
      if (!(groupId in moved)) learnHead(groupId, heads.get(groupId) ?? 0, rosterHead);
  });
  connection.state.subscribe(({ status }) => {
    if (status === 'open') catchUp(groups.keys());
    else rooms.clear();
    // The next user to log in may be another one.
    if (status === 'closed')
      for (const groupId of heads.keys()) if (!groups.has(groupId)) heads.delete(groupId);
  });

  return {
    follow(groupId, { seq, roster }, follows) {
      const group = groups.get(groupId) ?? {
        seq: undefined,
        roster: undefined,
        followers: new Set<Follows>(),
      };
      groups.set(groupId, group);
      group.followers.add(follows);
      // What others have had already is delivered to everybody once more: each ignores what it has.
      if (seq !== undefined) group.seq = Math.min(group.seq ?? seq, seq);
      if (roster !== undefined) group.roster = Math.min(group.roster ?? roster, roster);
      catchUp([groupId]);
      return () => {
        group.followers.delete(follows);
        if (group.followers.size === 0 && groups.get(groupId) === group) {
          groups.delete(groupId);
          behind.delete(groupId);
        }
      };
    },
    isInRoom: (groupId) => rooms.has(groupId),
    onNews(listener) {
      newsListeners.add(listener);
      return () => void newsListeners.delete(listener);
    },
    known: () => [...heads].map(([groupId, headSeq]) => ({ groupId, headSeq })),
  };
}
