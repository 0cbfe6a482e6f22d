export type CallKind = 'append' | 'read';
/** The fault of one call. */
export type CallFault =
  | { do: 'loseReply' | 'neverAnswer' | 'notLeader' | 'unavailable' | 'answerTwice' }
  | { do: 'answerLate'; ms: number };

/** An open read or subscription. */
export interface OpenRead {
  isSubscription: boolean;
  /** Ends it with UNAVAILABLE. */
  drop(): void;
  /** Ends it as if everything had been read. */
  end(): void;
  /** Sends nothing from now on, and keeps it open. */
  mute(): void;
  /** Sends the last events again. */
  repeat(count: number): void;
  fallBehind(): void;
}

/** The faults on demand. `times` counts calls; Infinity lasts until `lift`. */
export interface Faults {
  /** Stores appends and never answers. */
  loseReply(times?: number): void;
  /** Accepts calls without storing or answering anything. Reads and subscriptions hang. */
  neverAnswer(times?: number, of?: CallKind): void;
  /** Stores appends at once and answers later. */
  answerLate(ms: number, times?: number): void;
  /** Refuses appends or reads with `not-leader`, which names this server as the leader. */
  notLeader(times?: number, of?: CallKind): void;
  /**
   * Ends calls with UNAVAILABLE, and stores no appends. On the batch path this ends the one stream that
   * carries all appends of a client, and the client then also rejects what waits on other clients of its
   * process.
   */
  unavailable(times?: number, of?: CallKind): void;
  /**
   * Stores appends and answers them with an error, then with success: the second answer has no pending call.
   */
  answerTwice(times?: number): void;
  /** Ends all open reads and subscriptions with UNAVAILABLE. */
  dropStreams(): void;
  /** Ends all open subscriptions without an error. */
  endStreams(): void;
  /** Makes each open subscription send its last events again, at most 32. */
  deliverTwice(count?: number): void;
  /** Reports to each open subscription that it fell behind, whereupon it catches up. */
  fallBehind(): void;
  /** Silences open subscriptions, and those opened before `lift`, for good while they stay open. */
  silence(): void;
  /** Delays each event of a subscription by that many milliseconds, until `lift`. */
  slowDown(ms: number): void;
  /** Leaves pages with a filter unanswered, as if many other events had to be passed over, until `lift`. */
  searchLong(): void;
  /** Cancels all pending faults. Silenced subscriptions stay silent. */
  lift(): void;
}

/** The faults of one stand-in: `faults` for the test, `next` and `open` for the services. */
export function createFaults() {
  const open = new Set<OpenRead>();
  const planned: { kind: CallKind; fault: CallFault; left: number }[] = [];
  let isSilent = false;
  let delayMs = 0;
  let isSearching = false;

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
    slowDown(ms) {
      delayMs = ms;
    },
    searchLong() {
      isSearching = true;
    },
    lift() {
      isSilent = false;
      isSearching = false;
      delayMs = 0;
      planned.length = 0;
    },
  };

  return {
    faults,
    open,
    /** The number opened so far. */
    counts: { subscriptions: 0 },
    isSilent: () => isSilent,
    isSearching: () => isSearching,
    /** The delay of each event of a subscription, in milliseconds. */
    delayMs: () => delayMs,
    /** Returns the fault of this call. Faults of one kind apply in the order of their requests. */
    next(kind: CallKind): CallFault | undefined {
      const index = planned.findIndex((candidate) => candidate.kind === kind);
      const found = planned[index];
      if (found && --found.left <= 0) planned.splice(index, 1);
      return found?.fault;
    },
  };
}
export type FaultPlan = ReturnType<typeof createFaults>;
