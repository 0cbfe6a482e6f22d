import type { WaitingAppend } from '../../event-log/batch.ts';

const TEXT = 25;
const JSON_TEXT = 114;

/** Settings of the session that calls append_events(). */
export const APPEND_SETTINGS = {
  synchronous_commit: 'on',
  // Plans are made while the tables are small and kept while they grow. Only reading the end of an index is
  // right for both.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** The call that stores a batch, with the values of `toArguments`. */
export const APPEND_EVENTS = `select * from append_events(${Array.from({ length: 18 }, (_, n) => `$${n + 1}`).join(', ')})`;

/**
 * Returns the arguments of append_events(), see 0015-append-without-counters.sql. As text, they would cost
 * more to write in pg and to parse in PostgreSQL than storing the events, so long or quoted values use
 * PostgreSQL's binary form.
 */
export function toArguments(appends: readonly WaitingAppend[]): (string | Buffer)[] {
  const streams: string[] = [];
  const expected: string[] = [];
  const counts: number[] = [];
  const before: number[] = [];
  const streamBefore: number[] = [];
  const guardOf: number[] = [];
  const guardStreams: string[] = [];
  const guardRevisions: number[] = [];
  const guardAbout: string[] = [];
  const eventOf: number[] = [];
  const eventNth: number[] = [];
  const eventStreams: string[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const versions: number[] = [];
  const datas: string[] = [];
  const metadatas: string[] = [];
  const occurred: string[] = [];
  const ofStream = new Map<string, number>();

  for (const { append, events, metadata, occurredAt } of appends) {
    const { stream } = append;
    const earlier = ofStream.get(stream) ?? 0;
    ofStream.set(stream, earlier + events.length);
    before.push(ids.length);
    streamBefore.push(earlier);
    counts.push(events.length);
    streams.push(stream);
    expected.push(append.expected === 'any' ? 'null' : String(append.expected));
    for (const guard of append.guards ?? []) {
      guardOf.push(streams.length);
      guardStreams.push(guard.stream);
      guardRevisions.push(guard.revision);
      guardAbout.push(guard.about ?? 'null');
    }
    events.forEach(({ id, type, v, json }, nth) => {
      eventOf.push(streams.length);
      eventNth.push(nth);
      eventStreams.push(stream);
      ids.push(id);
      types.push(type);
      versions.push(v);
      datas.push(json);
      metadatas.push(metadata);
      occurred.push(occurredAt);
    });
  }
  return [
    ...[binary(TEXT, streams), plain(expected), plain(counts), plain(before), plain(streamBefore)],
    ...[plain(guardOf), binary(TEXT, guardStreams), plain(guardRevisions)],
    ...[
      plain(eventOf),
      plain(eventNth),
      binary(TEXT, eventStreams),
      plain(ids),
      plain(types),
      plain(versions),
    ],
    ...[binary(JSON_TEXT, datas), binary(JSON_TEXT, metadatas), plain(occurred), plain(guardAbout)],
  ];
}

/** Returns an array of values that need no quotes. */
const plain = (values: (number | string)[]): string => `{${values.join(',')}}`;

/**
 * Returns a one-dimensional array of text as array_recv() reads it: dimensions, has-nulls, type; length,
 * first index; elements.
 */
function binary(type: number, values: string[]): Buffer {
  const lengths = values.map((value) => Buffer.byteLength(value));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 20));
  let at = 0;
  for (const field of [1, 0, type, values.length, 1]) at = bytes.writeInt32BE(field, at);
  values.forEach((value, index) => {
    at = bytes.writeInt32BE(lengths[index]!, at);
    at += bytes.write(value, at);
  });
  return bytes;
}
