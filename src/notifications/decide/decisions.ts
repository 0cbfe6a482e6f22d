import { setImmediate as turn } from 'node:timers/promises';
import type { Members } from '../../commands/chat-group/chat-group.ts';
import type { Position } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import { type MessageAudience, sizeOf, whoIsAway } from './audience.ts';
import type { FanOut } from './fan-outs.ts';
import type { Candidate } from '../notification.ts';
import type { Whereabouts } from './whereabouts.ts';
import { type Undecided, UndecidedMessages } from './undecided.ts';

/**
 * The notifications to write now, and the messages whose audience is too large for that and is notified in
 * slices.
 */
export interface Decided {
  candidates: Candidate[];
  fanOuts: FanOut[];
}

export interface DecisionsOptions {
  look: (userIds: readonly UserId[]) => Promise<Whereabouts>;
  now: () => Date;
  windowMs: number;
  /**
   * Head of the log at the start. Clients are still reconnecting: for messages up to here, users count as
   * offline only after the window has passed.
   */
  headAtStart: Position;
  mostUndecided: number;
  /**
   * Maximum number of notifications of one message that are written together with others. More are written in
   * slices.
   */
  few: number;
}

/**
 * Maximum number of members that are looked at one by one, in memory. A larger audience is notified in
 * slices, whether its members are online or not.
 */
const LARGE = 1_000;
export const FEW = 50;
/** Maximum number of members that are looked at before other work gets a turn. */
const LOOKED_AT_ONCE = 10_000;
/** More than one batch adds, so that a backlog shrinks. */
const DECIDED_AT_ONCE = 1_000;
/**
 * A push follows its event within milliseconds. For an event that was handled much later, this is the best
 * estimate.
 */
const PUSHED_WITHIN_MS = 5_000;

/** Yields runs of consecutive messages whose audiences together have at most that many members. */
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
  const groups = new Set<Members>();
  const users = new Set<UserId>();
  for (const { members } of messages) {
    if (groups.has(members)) continue;
    groups.add(members);
    for (const userId of members.keys()) users.add(userId);
  }
  return [...users];
}

const fanOutOf = ({ members: _, ...message }: Undecided): FanOut => message;

/**
 * Decides who is notified of messages. Members who are offline when a message is sent are notified at once.
 * For members who are online, the decision follows after the window and depends on what they have received.
 */
export function createDecisions({ look, now, windowMs, headAtStart, mostUndecided, few }: DecisionsOptions) {
  const undecided = new UndecidedMessages(mostUndecided);

  async function decideOn(
    messages: readonly Undecided[],
    isAway: (reached: Whereabouts, message: Undecided) => (userId: UserId) => boolean,
    onRest: (message: Undecided) => void,
  ): Promise<Decided> {
    const decided: Decided = { candidates: [], fanOuts: [] };
    for (const together of inLooks(messages)) {
      const reached = await look(usersOf(together));
      for (const message of together) {
        const away = whoIsAway(message, isAway(reached, message));
        if (away.length > few && !message.isSelected) {
          decided.fanOuts.push(fanOutOf(message));
          continue;
        }
        decided.candidates.push(...away);
        if (away.length < sizeOf(message)) onRest(message);
      }
      await turn();
    }
    return decided;
  }

  return {
    /** Notifies members who are offline, and keeps the rest to decide later. Takes messages in log order. */
    async divide(sent: readonly MessageAudience[]): Promise<Decided> {
      const handledAt = now().getTime();
      const large: FanOut[] = [];
      const small: Undecided[] = [];
      for (const audience of sent) {
        const pushedBy = Math.min(handledAt, audience.sentAt + PUSHED_WITHIN_MS);
        const message = { ...audience, pushedBy, decideAt: handledAt + windowMs };
        if (sizeOf(message) > LARGE && !message.isSelected) large.push(fanOutOf(message));
        else if (message.notice.position > headAtStart) small.push(message);
        else undecided.add(message);
      }
      const isOffline =
        ({ isOnline }: Whereabouts) =>
        (userId: UserId) =>
          !isOnline(userId);
      const { candidates, fanOuts } = await decideOn(small, isOffline, (message) => undecided.add(message));
      return { candidates, fanOuts: [...large, ...fanOuts] };
    },

    /**
     * Notifies members whose window has passed and who have received nothing. `isMore` is true if there may
     * be more to decide.
     */
    async decide(): Promise<Decided & { isMore: boolean }> {
      const due = undecided.take(now().getTime(), DECIDED_AT_ONCE);
      const isUnreached =
        (reached: Whereabouts, { notice, pushedBy }: Undecided) =>
        (userId: UserId) =>
          !reached.hasReceived(userId, pushedBy, notice.groupId);
      return { ...(await decideOn(due, isUnreached, () => {})), isMore: due.length === DECIDED_AT_ONCE };
    },

    /**
     * Returns the position of the first undecided message; undefined when there is none. All earlier messages
     * are decided.
     */
    first: () => undecided.first(),
  };
}
