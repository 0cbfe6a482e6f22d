export type CallKind = 'append' | 'read';
/** What happens to one call instead of the usual. */
export type CallFault =
  | { do: 'loseReply' | 'neverAnswer' | 'notLeader' | 'unavailable' | 'answerTwice' }
  | { do: 'answerLate'; ms: number };

/** A read or a subscription that is open. */
export interface OpenRead {
  isSubscription: boolean;
  /** Ends it with UNAVAILABLE. */
  drop(): void;
  /** Ends it as if all were read. */
  end(): void;
  /** From now on nothing more is sent, and it stays open. */
  mute(): void;
  /** The last so many events are sent again. */
  repeat(count: number): void;
  fallBehind(): void;
}

/** What can be made to go wrong. `times` counts calls, Infinity lasts until `lift`. */
export interface Faults {
  /** Appends are stored, and never answered. */
  loseReply(times?: number): void;
  /** Calls are taken in and nothing else: nothing is stored, nothing answered. Reads and subscriptions hang. */
  neverAnswer(times?: number, of?: CallKind): void;
  /** Appends are stored at once and answered so much later. */
  answerLate(ms: number, times?: number): void;
  /** Appends or reads are refused with `not-leader`, which names this server as the leader. */
  notLeader(times?: number, of?: CallKind): void;
  /**
   * Calls end with UNAVAILABLE, appends without having been stored. On the batch path the one stream that carries all
   * appends of a client ends with them, and the client then rejects what waits on other clients of its process, too.
   */
  unavailable(times?: number, of?: CallKind): void;
  /** Appends are stored and answered with an error, and once more with success: the second answer finds nobody. */
  answerTwice(times?: number): void;
  /** All open reads and subscriptions end with UNAVAILABLE. */
  dropStreams(): void;
  /** All open subscriptions end without an error. */
  endStreams(): void;
  /** Each open subscription sends its last events again, 32 at most. */
  deliverTwice(count?: number): void;
  /** Each open subscription is told that it fell behind, and catches up. */
  fallBehind(): void;
  /** Open subscriptions, and those opened before `lift`, stay open and say nothing for ever. */
  silence(): void;
  /** Ends whatever is still to happen. Subscriptions that fell silent stay so. */
  lift(): void;
}

/** The faults of one stand-in: `faults` for the test, `next` and `open` for the services. */
export function createFaults() {
  const open = new Set<OpenRead>();
  const planned: { kind: CallKind; fault: CallFault; left: number }[] = [];
  let isSilent = false;

  const plan = (kind: CallKind, fault: CallFault, left = 1) => void planned.push({ kind, fault, left });
  const subscriptions = () => [...open].filter(({ isSubscription }) => isSubscription);

  const faults: Faults = {
    loseReply: (times) => plan('append', { do: 'loseReply' }, times),
    neverAnswer: (times, of = 'append') => plan(of, { do: 'neverAnswer' }, times),
    answerLate: (ms, times) => plan('append', { do: 'answerLate', ms }, times),
    notLeader: (times, of = 'append') => plan(of, { do: 'notLeader' }, times),
    unavailable: (times, of = 'append') => plan(of, { do: 'unavailable' }, times),
    answerTwice: (times) => plan('append', { do: 'answerTwice' }, times),
    dropStreams: () => open.forEach((read) => read.drop()),
    endStreams: () => subscriptions().forEach((read) => read.end()),
    deliverTwice: (count = 32) => subscriptions().forEach((read) => read.repeat(count)),
    fallBehind: () => subscriptions().forEach((read) => read.fallBehind()),
    silence() {
      isSilent = true;
      subscriptions().forEach((read) => read.mute());
    },
    lift() {
      isSilent = false;
      planned.length = 0;
    },
  };

  return {
    faults,
    open,
    /** How many were ever opened. */
    counts: { subscriptions: 0 },
    isSilent: () => isSilent,
    /** The fault that this call meets. Plans of one kind are met in the order they were made. */
    next(kind: CallKind): CallFault | undefined {
      const index = planned.findIndex((candidate) => candidate.kind === kind);
      const found = planned[index];
      if (found && --found.left <= 0) planned.splice(index, 1);
      return found?.fault;
    },
  };
}
export type FaultPlan = ReturnType<typeof createFaults>;
