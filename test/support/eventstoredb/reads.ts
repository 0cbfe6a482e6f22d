import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { FaultPlan, OpenRead } from './faults.ts';
import type { StandInLog, StoredEvent } from './log.ts';
import {
  caughtUp,
  checkpoint,
  confirmation,
  eventMessage,
  fellBehind,
  invalidPosition,
  nameOf,
  notLeader,
  streamDeleted,
  streamNotFound,
  unavailable,
} from './messages.ts';

type Call = ServerWritableStream<streams.ReadReq, streams.ReadResp>;
type Options = streams.ReadReq.Options;
type Matches = (event: StoredEvent) => boolean;

/** The page size of a catch-up, the capacity of the live channel, and the interval of checkpoints. */
const PAGE = 32;

/** Reads in both directions and subscriptions, of one stream and of all. */
export function createReads(log: StandInLog, plan: FaultPlan, port: () => number): IStreamsServer['read'] {
  return (call) => {
    const options = call.request.getOptions();
    const fault = plan.next('read');
    if (!options || fault?.do === 'neverAnswer') return;
    if (fault?.do === 'unavailable') return void call.emit('error', unavailable());
    if (fault?.do === 'notLeader') return void call.emit('error', notLeader(port()));
    if (plan.isSearching() && options.hasFilter() && !options.hasSubscription()) return;
    const reader = openReader(call, log, plan);
    const work = options.hasSubscription() ? subscription(log, options, reader) : read(log, options, reader);
    work.then(
      () => reader.isOpen() && call.end(),
      (error: unknown) => reader.isOpen() && call.emit('error', error),
    );
  };
}

/** One open call: sending waits for the client to receive, and ends with the call. */
function openReader(call: Call, log: StandInLog, plan: FaultPlan) {
  const isSubscription = call.request.getOptions()?.hasSubscription() ?? false;
  const closed = new AbortController();
  const sent: StoredEvent[] = [];
  let isMute = isSubscription && plan.isSilent();
  const state = { repeat: 0, mustCatchUp: false };
  const close = () => {
    plan.open.delete(handle);
    closed.abort();
  };
  const handle: OpenRead = {
    isSubscription,
    drop() {
      close();
      call.emit('error', unavailable());
    },
    end() {
      close();
      call.end();
    },
    mute() {
      isMute = true;
    },
    repeat(count) {
      state.repeat = count;
      log.bell.emit('ring');
    },
    fallBehind() {
      state.mustCatchUp = true;
      log.bell.emit('ring');
    },
  };
  plan.open.add(handle);
  if (isSubscription) plan.counts.subscriptions++;
  call.on('cancelled', close).on('close', close);

  async function send(message: streams.ReadResp): Promise<void> {
    if (isMute) await once(closed.signal, 'abort');
    closed.signal.throwIfAborted();
    if (!call.write(message)) await once(call, 'drain', { signal: closed.signal });
  }

  return {
    state,
    send,
    signal: closed.signal,
    isOpen: () => !closed.signal.aborted,
    async sendEvent(event: StoredEvent): Promise<void> {
      if (isSubscription && plan.delayMs() > 0)
        await setTimeout(plan.delayMs(), undefined, { signal: closed.signal });
      await send(eventMessage(event));
      if (sent.push(event) > PAGE) sent.shift();
    },
    async repeat(): Promise<void> {
      const again = sent.slice(-state.repeat);
      state.repeat = 0;
      for (const event of again) await send(eventMessage(event));
    },
  };
}
type Reader = ReturnType<typeof openReader>;

async function read(log: StandInLog, options: Options, { send, sendEvent }: Reader): Promise<void> {
  const ofStream = options.getStream();
  const found = ofStream ? log.read(nameOf(ofStream)) : log.events;
  if (ofStream && !found) return send(streamNotFound(nameOf(ofStream)));
  if (ofStream && found === 'deleted') throw streamDeleted(nameOf(ofStream));
  const isBackwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const from = bound(log, options);
  const matches = matcher(options);
  const isAsked: Matches = ofStream
    ? ({ revision }) => (isBackwards ? revision <= from : revision >= from)
    : // When reading backwards, the real server treats a position as exclusive.
      ({ position }) => (isBackwards ? position < from : position >= from);
  let left = Number(options.getCount());
  // Like the real server, it reads each event when it gets there, without a snapshot of the log.
  const events = Array.isArray(found) ? (isBackwards ? found.toReversed() : found) : [];
  for (const event of events) {
    if (left <= 0) return;
    if (!isAsked(event) || !matches(event)) continue;
    await sendEvent(event);
    left--;
  }
}

/** Returns the revision or position to read from; Infinity is the end. */
function bound(log: StandInLog, options: Options): number {
  const ofStream = options.getStream();
  if (ofStream?.hasRevision()) return Number(ofStream.getRevision());
  const all = options.getAll();
  if (all?.hasPosition()) {
    const position = Number(all.getPosition()?.getCommitPosition());
    // The log never returned a position inside a record.
    const next = log.events[log.indexOf(position)];
    if (next && next.position !== position) throw invalidPosition();
    return position;
  }
  return ofStream?.hasEnd() || all?.hasEnd() ? Infinity : 0;
}

function matcher(options: Options): Matches {
  const filter = options.getFilter();
  if (!filter) return () => true;
  const expression = filter.getStreamIdentifier() ?? filter.getEventType();
  const text: (event: StoredEvent) => string = filter.hasStreamIdentifier()
    ? ({ stream }) => stream
    : ({ type }) => type;
  const pattern = expression?.getRegex();
  if (pattern) {
    const regex = new RegExp(pattern);
    return (event) => regex.test(text(event));
  }
  const prefixes = expression?.getPrefixList() ?? [];
  return (event) => prefixes.some((prefix) => text(event).startsWith(prefix));
}

async function subscription(log: StandInLog, options: Options, reader: Reader): Promise<void> {
  const { state, send, sendEvent, signal } = reader;
  const ofStream = options.getStream();
  const name = ofStream && nameOf(ofStream);
  const isFiltered = options.hasFilter();
  const from = bound(log, options);
  const isGiven = ofStream ? ofStream.hasRevision() : options.getAll()?.hasPosition();
  const inFilter = matcher(options);
  const matches: Matches =
    name === undefined
      ? inFilter
      : ({ stream, revision }) => stream === name && (isGiven ? revision > from : true);
  const considerBetweenCheckpoints = PAGE * (options.getFilter()?.getCheckpointintervalmultiplier() ?? 1);

  let next = firstIndex();
  let considered = 0;

  function firstIndex(): number {
    if (from === Infinity) return log.events.length;
    if (ofStream) return 0;
    const index = log.indexOf(from);
    // A subscription starts after the given position.
    return isGiven && log.events[index]?.position === from ? index + 1 : index;
  }

  async function consider(event: StoredEvent): Promise<void> {
    next++;
    if (matches(event)) await sendEvent(event);
    if (!isFiltered || ++considered < considerBetweenCheckpoints) return;
    considered = 0;
    await send(checkpoint(event));
  }

  async function catchUp(): Promise<void> {
    for (let event = log.events[next]; event; event = log.events[next]) await consider(event);
    const last = log.events[next - 1];
    if (isFiltered && last) await send(checkpoint(last));
    await send(caughtUp());
  }

  /** Returns when more events wait than the live channel holds. */
  async function stayLive(): Promise<void> {
    while (!state.mustCatchUp && log.events.length - next <= PAGE) {
      const event = log.events[next];
      if (state.repeat) await reader.repeat();
      else if (event) await consider(event);
      else await once(log.bell, 'ring', { signal });
    }
  }

  await send(confirmation());
  for (;;) {
    await catchUp();
    await stayLive();
    state.mustCatchUp = false;
    await send(fellBehind());
  }
}
