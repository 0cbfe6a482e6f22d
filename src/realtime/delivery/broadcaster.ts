import type { Logger } from 'pino';
import { keepRunning, sleep } from '../../kit/back-off.ts';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import { companyOf } from '../../commands/company/company.ts';
import {
  companyIdOf,
  groupIdOf,
  isChatGroupEvent,
  isCompanyEvent,
  toEnvelope,
} from '../../protocol/envelope.ts';
import { type EventStore, NO_STREAM, type Position, type Recorded } from '../../events/event-store.ts';
import { type Attributes, type Tracing, inSpanOfEach, noTracing } from '../../kit/tracing.ts';
import type { GroupId, MessageId, UserId } from '../../events/ids.ts';
import { isUnknown } from '../../events/stored-events.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type UnseenBy, saidAnew } from './unseen.ts';
import { type Delivery, isGroupEvent, pushedAs, staffChangeOf } from './delivery.ts';
import { filePushOf } from './file-news.ts';
import { type NamedFiles, tellMembers } from './tell-members.ts';

/** The position of the broadcaster of a cluster, kept for its successor; 0 when there is none yet. */
interface Checkpoint {
  load(): Promise<Position>;
  save(position: Position): Promise<void>;
}

export interface BroadcasterOptions {
  delivery: Delivery;
  store: Pick<EventStore, 'subscribe' | 'head'>;
  loader: AggregateLoader;
  unseenBy: UnseenBy;
  namedFiles: NamedFiles;
  /** The start: a position, or a checkpoint if another process may have to continue. */
  from: Position | Checkpoint;
  tracing?: Tracing;
  log: Logger;
}

export interface Broadcaster {
  /** The position of the last event delivered. */
  position(): Position;
  /** Returns the error of the current retry; undefined while all is well. */
  failure(): Error | undefined;
  /** Resolves once delivery has ended and the checkpoint is saved. */
  stop(): Promise<void>;
}

const BATCH = 200;
const RETRY_MS = 1_000;
/** Older events are left to `heads`, so that a backlog does not delay new events. */
const STALE_MS = 30_000;
/** Interval at which progress is reported. */
const REPORT_MS = 1_000;

/** Returns the attributes of the push of an event to a group; undefined when the event is not pushed. */
function described(event: Recorded): Attributes | undefined {
  const { id, type, position } = event;
  const name = isGroupEvent(event) ? pushedAs[event.type] : undefined;
  return (
    name && { 'chat.push': name, 'chat.event.id': id, 'chat.event.type': type, 'chat.position': position }
  );
}

/**
 * Delivers events to sockets, in the order of the log. A push is a hint: `heads` and `sync` repair losses.
 * With a checkpoint, events that the bus did not accept are delivered again, here or by a successor;
 * repetitions are harmless.
 */
export function startBroadcaster({
  delivery,
  store,
  loader,
  unseenBy,
  namedFiles,
  from,
  tracing = noTracing,
  log,
}: BroadcasterOptions): Broadcaster {
  const stopping = new AbortController();
  const { signal } = stopping;
  const checkpoint = typeof from === 'number' ? undefined : from;
  let position: Position | undefined = typeof from === 'number' ? from : undefined;
  let saved: Position = 0;
  let failure: Error | undefined;
  const unclear = new Set<GroupId>();
  /** Who does not see the messages that the events of a batch say anew; absent while that cannot be known. */
  let unseen: ReadonlyMap<MessageId, readonly UserId[]> | undefined;
  let deliveredUntil = 0;
  let leftOutUntil = 0;

  const tellOfFile = tellMembers({ delivery, loader, namedFiles, signal, log });

  async function begin(): Promise<Position> {
    saved = (await checkpoint?.load()) ?? 0;
    return saved === 0 ? store.head() : saved;
  }

  /**
   * Handles an event of newer code. In a group's stream it may have removed a member, so nothing of the group
   * is pushed any more, and `sync`, which reads the roster, is refused. In a conversation it is skipped:
   * clients see the gap, and `sync` returns the event. In a company's stream it may have removed somebody.
   */
  function handleUnknown(event: Recorded): void {
    if (isCompanyEvent(event)) {
      const companyId = companyIdOf(event);
      loader.forget(companyOf(companyId));
      return delivery.staff({ companyId, position: event.position });
    }
    if (!isChatGroupEvent(event)) return;
    const groupId = groupIdOf(event);
    unclear.add(groupId);
    loader.forget(chatGroupOf(groupId));
    delivery.roster(event);
  }

  function deliver(event: Recorded): void {
    if (isUnknown(event)) return handleUnknown(event);
    if (isCompanyEvent(event)) {
      loader.absorb(companyOf(event.data.companyId), [event]);
      const change = staffChangeOf(event);
      if (change) delivery.staff(change);
      return;
    }
    if (event.type === 'ProfileChanged' || event.type === 'AccountErased')
      return delivery.renamed({ userId: event.data.userId, position: event.position });
    if (!isGroupEvent(event)) {
      const push = filePushOf(event);
      if (!push) return;
      delivery.uploader(push.uploaderId, push.news);
      return tellOfFile(push);
    }
    const { groupId } = event.data;
    if (isChatGroupEvent(event)) {
      loader.absorb(chatGroupOf(groupId), [event]);
      delivery.roster(event);
    }
    const name = pushedAs[event.type];
    if (!name || isLeftOut(event) || unclear.has(groupId)) return;
    // Clients see the gap, and `sync` returns the event as they may see it.
    if (event.type === 'MessageEdited' && !unseen) return;
    const needs = isChatGroupEvent(event)
      ? event.revision
      : (event.metadata.reliedOn?.[chatGroupStream(groupId)] ?? NO_STREAM);
    const hiddenFrom = event.type === 'MessageEdited' ? unseen?.get(event.data.messageId) : undefined;
    delivery.group(groupId, name, toEnvelope(event), { needs, hiddenFrom });
    if (event.type === 'MessageDeleted') delivery.deleted({ ...event.data, position: event.position });
  }

  function isLeftOut({ occurredAt }: Recorded): boolean {
    if (!checkpoint) return false;
    const at = Date.parse(occurredAt);
    if (Date.now() - at <= STALE_MS) return false;
    leftOutUntil = Math.max(leftOutUntil, at);
    return true;
  }

  async function look(events: readonly Recorded[]): Promise<typeof unseen> {
    const messageIds = await saidAnew(events, loader);
    if (messageIds.length === 0) return new Map();
    return unseenBy(messageIds).catch((err: unknown) => {
      log.warn({ err }, 'who may see edits is not known; they are not pushed, and clients ask for them');
      return undefined;
    });
  }

  async function follow(): Promise<void> {
    position ??= await begin();
    delivery.begin(position);
    for await (const events of store.subscribe({ after: position, limit: BATCH, signal })) {
      await delivery.prepare(events);
      unseen = await look(events);
      await inSpanOfEach(tracing, 'push', events, described, async () => {
        for (const event of events) deliver(event);
        await delivery.takenOver();
      });
      const last = events.at(-1)!;
      position = last.position;
      deliveredUntil = Math.max(deliveredUntil, Date.parse(last.occurredAt));
      failure = undefined;
    }
  }

  function failed(error: Error): number {
    if (!failure) log.warn({ err: error, position }, 'the broadcaster cannot deliver; retrying in 1 s');
    failure = error;
    return RETRY_MS;
  }

  async function save(): Promise<void> {
    if (!checkpoint || position === undefined || position === saved) return;
    const reached = position;
    await checkpoint.save(reached);
    saved = reached;
  }

  /** Reports the progress. At the head of the log it is the present time. */
  async function report(): Promise<void> {
    const now = Date.now();
    const head = await store.head();
    if (position === undefined || failure) return;
    if (position >= head) deliveredUntil = now;
    delivery.progress({ until: deliveredUntil, leftOutUntil });
    await save();
  }

  async function reportNowAndThen(): Promise<void> {
    while (!signal.aborted) {
      await report().catch((err: unknown) =>
        log.debug({ err }, 'could not publish the progress of the broadcaster; trying again'),
      );
      await sleep(REPORT_MS, signal, { ref: false });
    }
  }

  const ended = Promise.all([keepRunning(signal, follow, failed), checkpoint && reportNowAndThen()]);
  return {
    position: () => position ?? 0,
    failure: () => failure,
    async stop() {
      stopping.abort();
      await ended;
      await save().catch((err: unknown) =>
        log.warn(
          { err },
          'could not save the checkpoint of the broadcaster; its successor repeats some pushes',
        ),
      );
    },
  };
}
