import { setImmediate as turn } from 'node:timers/promises';
import type { Position } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import { type MessageAudience, sizeOf, whoIsAway } from './audience.ts';
import type { FanOut } from './fan-outs.ts';
import type { Candidate } from '../notification.ts';
import type { Reached } from './whereabouts.ts';
import { type Undecided, UndecidedMessages } from './undecided.ts';

/** Who is told now, and which messages are told in slices because too many are to be told of them. */
export interface Told {
  candidates: Candidate[];
  fanOuts: FanOut[];
}

export interface DecisionsOptions {
  look: (userIds: readonly UserId[]) => Promise<Reached>;
  now: () => Date;
  windowMs: number;
  /** Clients are still coming back: of messages up to here nobody is called offline before the window has passed. */
  headAtStart: Position;
  mostUndecided: number;
  /** Notifications that a message may write among those of others; more are written in slices. */
  few: number;
}

/** Members that are looked at one by one, in memory; a larger audience is told in slices, whoever is there. */
const LARGE = 1_000;
export const FEW = 50;
/** Members that are looked at before others have their turn. */
const LOOKED_AT_ONCE = 10_000;
/** More than one batch brings, so that a backlog shrinks. */
const DECIDED_AT_ONCE = 1_000;
/** A push follows its event within milliseconds; of one that was handled much later nothing better is known. */
const PUSHED_WITHIN_MS = 5_000;

/** Consecutive messages whose audiences together have so many members. */
function* inLooks<M extends MessageAudience>(messages: readonly M[]): Generator<M[]> {
  let together: M[] = [];
  let size = 0;
  for (const message of messages) {
    if (size > 0 && size + message.members.size > LOOKED_AT_ONCE) {
      yield together;
      [together, size] = [[], 0];
    }
    together.push(message);
    size += message.members.size;
  }
  if (together.length > 0) yield together;
}

function usersOf(messages: readonly MessageAudience[]): UserId[] {
  // Messages of one group share its members.
  const groups = new Set(messages.map(({ members }) => members));
  return [...new Set([...groups].flatMap((members) => [...members.keys()]))];
}

const fanOutOf = ({ members: _, ...message }: Undecided): FanOut => message;

/**
 * Decides who is told of messages. Members who are offline when a message is sent are told at once; of those who are
 * online it is decided after the window, by what they have received.
 */
export function createDecisions({ look, now, windowMs, headAtStart, mostUndecided, few }: DecisionsOptions) {
  const undecided = new UndecidedMessages(mostUndecided);

  async function tell(
    messages: readonly Undecided[],
    isAway: (reached: Reached, message: Undecided) => (userId: UserId) => boolean,
    onRest: (message: Undecided) => void,
  ): Promise<Told> {
    const told: Told = { candidates: [], fanOuts: [] };
    for (const together of inLooks(messages)) {
      const reached = await look(usersOf(together));
      for (const message of together) {
        const away = whoIsAway(message, isAway(reached, message));
        if (away.length > few) {
          told.fanOuts.push(fanOutOf(message));
          continue;
        }
        told.candidates.push(...away);
        if (away.length < sizeOf(message)) onRest(message);
      }
      await turn();
    }
    return told;
  }

  return {
    /** Tells those who are offline; what becomes of the others is decided later. In log order. */
    async divide(sent: readonly MessageAudience[]): Promise<Told> {
      const handledAt = now().getTime();
      const large: FanOut[] = [];
      const small: Undecided[] = [];
      for (const audience of sent) {
        const pushedBy = Math.min(handledAt, audience.sentAt + PUSHED_WITHIN_MS);
        const message = { ...audience, pushedBy, decideAt: handledAt + windowMs };
        if (sizeOf(message) > LARGE) large.push(fanOutOf(message));
        else if (message.notice.position > headAtStart) small.push(message);
        else undecided.add(message);
      }
      const isOffline =
        ({ isOnline }: Reached) =>
        (userId: UserId) =>
          !isOnline(userId);
      const { candidates, fanOuts } = await tell(small, isOffline, (message) => undecided.add(message));
      return { candidates, fanOuts: [...large, ...fanOuts] };
    },

    /** Tells those whose time is up and who have received nothing. Says too whether there may be more. */
    async decide(): Promise<Told & { isMore: boolean }> {
      const due = undecided.take(now().getTime(), DECIDED_AT_ONCE);
      const isUnreached =
        (reached: Reached, { notice, pushedBy }: Undecided) =>
        (userId: UserId) =>
          !reached.hasReceived(userId, pushedBy, notice.groupId);
      return { ...(await tell(due, isUnreached, () => {})), isMore: due.length === DECIDED_AT_ONCE };
    },

    /** Everything before it is decided. */
    first: () => undecided.first(),
  };
}
