import { accountOf } from '../commands/account/account.ts';
import { applicationOf } from '../commands/application/application.ts';
import { notesOf } from '../commands/application/notes.ts';
import { grantOf } from '../commands/audit/grant.ts';
import { holdOf } from '../commands/audit/hold.ts';
import { companyOf } from '../commands/company/company.ts';
import { chatGroupOf } from '../commands/chat-group/chat-group.ts';
import type { Aggregate } from '../commands/command.ts';
import { fileOf } from '../commands/file/file.ts';
import { operationOf } from '../commands/operations/operation.ts';
import { retentionOf } from '../commands/retention/retention.ts';
import { jobOf } from '../commands/job/job.ts';
import { type EventStore, NO_STREAM, type Recorded, type Revision } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import { requireKnown } from '../events/stored-events.ts';
import type { Category, Stream } from '../events/streams.ts';
import { type Moment, happenedBy, lastRevision } from './moment.ts';
import { type MayRead, redacted } from './redact.ts';

/** The log as it is decoded. */
export type PastStreams = Pick<EventStore, 'readStream' | 'revisions'>;

const PAGE = 1_000;

const none = '' as never;
/** The folds of the commands. A conversation has none, because no command loads one. */
const aggregates = {
  account: accountOf(none).aggregate,
  job: jobOf(none).aggregate,
  application: applicationOf(none, none).aggregate,
  notes: notesOf(none).aggregate,
  chatGroup: chatGroupOf(none).aggregate,
  file: fileOf(none).aggregate,
  grant: grantOf(none).aggregate,
  hold: holdOf(none).aggregate,
  retention: retentionOf(none).aggregate,
  operation: operationOf(none).aggregate,
} satisfies Record<Exclude<Category, 'conversation' | 'company'>, object>;

/** A company begins with its first owner, whose id it has. */
const aggregateOf = (stream: Stream, category: Exclude<Category, 'conversation'>) =>
  category === 'company'
    ? companyOf(stream.slice(stream.indexOf('-') + 1) as UserId).aggregate
    : aggregates[category];

/** Returns the event as an auditor may see it. */
export const shownTo = (mayRead: MayRead, event: Recorded): Recorded =>
  mayRead(event) ? event : ({ ...event, data: redacted(event) } as Recorded);

/** Resolves with the last revision of a stream at a moment; `NO_STREAM` when there was none yet. */
export async function revisionAt(
  { readStream, revisions }: PastStreams,
  stream: Stream,
  { atRevision = Infinity, ...moment }: Moment & { atRevision?: Revision | undefined },
): Promise<Revision> {
  const head = (await revisions([stream])).get(stream) ?? NO_STREAM;
  const last = Math.min(head, atRevision);
  if (moment.at === undefined && moment.atPosition === undefined) return last;
  const eventAt = async (from: Revision) => (await readStream(stream, { from, limit: 1 }))[0];
  return lastRevision(last, happenedBy(moment), eventAt);
}

/** Returns the events of a stream from one revision to another, page by page. */
export async function* eventsBetween(
  { readStream }: Pick<PastStreams, 'readStream'>,
  stream: Stream,
  { from, to }: { from: Revision; to: Revision },
): AsyncGenerator<Recorded[]> {
  for (let next = from; next <= to;) {
    const page = await readStream(stream, { from: next, limit: Math.min(PAGE, to - next + 1) });
    const events = page.filter(({ revision }) => revision <= to);
    requireKnown(events);
    if (events.length > 0) yield events;
    if (events.length < page.length || page.length === 0) return;
    next = events.at(-1)!.revision + 1;
  }
}

/** Resolves with the state of a stream at a revision, folded as commands fold it, without text that may not be read. */
export async function stateAt(
  streams: PastStreams,
  stream: Stream,
  category: Exclude<Category, 'conversation'>,
  { revision, mayRead }: { revision: Revision; mayRead: MayRead },
): Promise<unknown> {
  const { initial, evolve } = aggregateOf(stream, category) as unknown as Aggregate<unknown, never>;
  let state = initial;
  for await (const page of eventsBetween(streams, stream, { from: 0, to: revision }))
    for (const event of page) state = evolve(state, shownTo(mayRead, event) as never);
  return state;
}
