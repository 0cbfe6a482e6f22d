import pg from 'pg';
import type { Logger } from 'pino';
import { prepare } from '../../src/adapters/event-log/batch.ts';
import { type AppendStream, createAppendStream } from '../../src/adapters/eventstoredb/append-stream.ts';
import { createEventStoreDbClient } from '../../src/adapters/eventstoredb/client.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { APPEND_SETTINGS } from '../../src/adapters/postgres/event-log/group-commit.ts';
import { toProposed } from '../../src/adapters/eventstoredb/reader.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import {
  type Append,
  type EventStore,
  EventStoreUnavailable,
  type Recorded,
} from '../../src/events/event-store.ts';
import { type Seal, type TextSeal, unsealed } from '../../src/events/personal-text.ts';
import { sealedVersion } from '../../src/events/stored-events.ts';
import { LogsDiffer, Misplaced, type Target } from '../../src/operations/copy-log.ts';

/** The name of this program's connections to a database. */
export const APPLICATION = 'log';

const MISPLACED = 'the target has no place for the next events: does another process write to it?';

const LINES = (argument: number) => `string_to_array($${argument}, e'\\n', '')`;

/** Appends each event by itself. If one is not appended, division by zero undoes the statement: none is. */
const APPEND = `
  select 1 / bool_and(outcome = 'appended')::int from public.append_events(
    ${LINES(1)}, ${LINES(2)}::bigint[], ${LINES(3)}::int[], ${LINES(4)}::int[], ${LINES(5)}::int[],
    '{}', '{}', '{}',
    ${LINES(6)}::int[], ${LINES(7)}::int[], ${LINES(1)}, ${LINES(8)}::uuid[], ${LINES(9)}, ${LINES(10)}::smallint[],
    ${LINES(11)}::json[], ${LINES(12)}::json[], ${LINES(13)}::timestamptz[]
  )`;
const DIVISION_BY_ZERO = '22012';

interface OpenTarget extends Target {
  close(): Promise<void>;
}

interface TargetSettings {
  url: string;
  log: Logger;
  /** Default: personal text is stored as it is. */
  textSeal?: TextSeal | undefined;
}

/** Returns a group of events as an append of its own. */
function appendOf(group: readonly Recorded[]): Append {
  const { stream, revision, occurredAt, metadata } = group[0]!;
  const events = group.map(({ id, type, data }) => ({ id, event: { type, data } as DomainEvent }));
  return { stream, events, expected: revision - 1, occurredAt, metadata };
}

/** Creates the target in a database. All events of a call are appended by one statement. */
export function createPostgresTarget(
  { url, log, textSeal = unsealed }: TargetSettings,
  { readAll }: Pick<EventStore, 'readAll'>,
): OpenTarget {
  const session = { applicationName: APPLICATION, settings: APPEND_SETTINGS };
  const pool = createPool({ url, max: 1, log, ...session });
  return {
    readAll,
    async append(groups) {
      const seals = await sealsFor(groups, textSeal);
      const stored = groups.flatMap((group, index) =>
        group.map((event, n) => storedForm(event, seals[index]!, n)),
      );
      try {
        await pool.query({ name: 'copy_events', text: APPEND, values: toArguments(stored) });
      } catch (error) {
        const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
        if (state === DIVISION_BY_ZERO) throw new Misplaced(MISPLACED);
        if (state.startsWith('22')) throw error;
        throw new EventStoreUnavailable('the target takes no events', { cause: error });
      }
    },
    close: () => pool.end(),
  };
}

const sealsFor = (groups: readonly Recorded[][], textSeal: TextSeal): Promise<Seal[]> =>
  Promise.all(groups.map(async (group) => textSeal.sealFor(appendOf(group))));

function storedForm(event: Recorded, seal: Seal, n: number) {
  const data = seal(event, event.id, n);
  return { ...event, data, v: data === event.data ? event.v : sealedVersion(event.v) };
}

/** Returns arrays as lines: JSON, ids and the names of streams and types contain no line breaks. */
function toArguments(events: readonly ReturnType<typeof storedForm>[]): string[] {
  const ofStream = new Map<string, number>();
  const before = events.map(({ stream }) => {
    const earlier = ofStream.get(stream) ?? 0;
    ofStream.set(stream, earlier + 1);
    return earlier;
  });
  const lines = (value: (event: (typeof events)[number], index: number) => unknown) =>
    events.map(value).join('\n');
  return [
    lines(({ stream }) => stream),
    // Further events of a stream follow on those before them.
    lines(({ revision }, index) => (before[index] === 0 ? revision - 1 : null)),
    lines(() => 1),
    lines((_, index) => index),
    before.join('\n'),
    lines((_, index) => index + 1),
    lines(() => 0),
    lines(({ id }) => id),
    lines(({ type }) => type),
    lines(({ v }) => v),
    lines(({ data }) => JSON.stringify(data)),
    lines(({ metadata }) => JSON.stringify(metadata)),
    lines(({ occurredAt }) => occurredAt),
  ];
}

/**
 * Creates the target in EventStoreDB. A server handles the appends of one call in the order in which they were sent,
 * and drops the rest when the call ends, so the log has no later append without the earlier ones. A call is never
 * followed by another within one `append`.
 */
export function createEventStoreDbTarget(
  { url, log, textSeal = unsealed }: TargetSettings,
  { readAll }: Pick<EventStore, 'readAll'>,
): OpenTarget {
  const client = createEventStoreDbClient({ url, log });
  let call: AppendStream | undefined;

  function open(): AppendStream {
    let isOpen = false;
    return createAppendStream({
      ...client,
      connection() {
        if (isOpen) throw new EventStoreUnavailable('EventStoreDB ended the appends');
        isOpen = true;
        return client.connection();
      },
    });
  }

  async function send(to: AppendStream, group: readonly Recorded[], seal: Seal): Promise<void> {
    const append = appendOf(group);
    const { stream } = append;
    const answer = await to.append(stream, group[0]!.revision - 1, toProposed(prepare(append, seal))).answer;
    if (answer === 'stored') return;
    if (answer === 'deleted') throw new LogsDiffer(`${stream} was deleted in the target`);
    if ('elsewhere' in answer) throw new Misplaced(MISPLACED);
    if ('refused' in answer)
      throw new LogsDiffer(`the target refuses an event of ${stream}: ${answer.refused}`);
    throw new EventStoreUnavailable(`the outcome of an append is unknown: ${answer.unknown}`);
  }

  return {
    readAll,
    async append(groups) {
      const isNew = !call;
      const current = (call ??= open());
      try {
        const seals = await sealsFor(groups, textSeal);
        const sent = (group: readonly Recorded[], index: number) => send(current, group, seals[index]!);
        // A server that is about to lead refuses appends at first, and might take the later ones of a row.
        if (isNew) await sent(groups[0]!, 0);
        const rest = groups.slice(isNew ? 1 : 0);
        await Promise.all(rest.map((group, index) => sent(group, index + groups.length - rest.length)));
      } catch (error) {
        call = undefined;
        current.close();
        throw error;
      }
    },
    async close() {
      call?.close();
      await client.close();
    },
  };
}
