import { dataOf } from 'slay-e-chat-client';
import { useEffect, useRef, useState } from 'react';
import { useChat } from '../client.tsx';
import { Field, type Fields, Form, Select } from '../parts/form.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { EventItem } from './event-item.tsx';
import { useAccess, useLook } from './grant.tsx';
import { type LogPage, readPage } from './lines.ts';
import { toFind, toStream } from './links.tsx';
import { TimeField, fromLocal } from './moment.tsx';

const PAGE = 50;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Category = keyof typeof words.audit.categories;
const categories = Object.entries(words.audit.categories) as [Category, string][];

const FILTERS = ['stream', 'category', 'type', 'actor', 'correlation', 'from', 'to'] as const;
type Filter = Partial<Record<(typeof FILTERS)[number], string>>;

/** Finds events of the log. What is asked for is in the address of the page. */
export function Find() {
  const { query } = useLocation();
  const filter: Filter = Object.fromEntries(
    FILTERS.flatMap((name) => (query.has(name) ? [[name, query.get(name)!]] : [])),
  );
  const after = query.get('after') ?? undefined;
  const asked = query.toString();
  return (
    <Page title={words.audit.find.title}>
      <FilterForm key={JSON.stringify(filter)} filter={filter} />
      {filter.stream !== undefined && ID.test(filter.stream) ? (
        <Streams key={asked} id={filter.stream} />
      ) : (
        <Results key={asked} filter={filter} after={after} />
      )}
    </Page>
  );
}

function FilterForm({ filter }: { filter: Filter }) {
  async function find({ from, to, ...rest }: Fields): Promise<void> {
    navigate(toFind({ ...rest, from: fromLocal(from), to: fromLocal(to) }));
  }
  const { actor, actorHint, category, correlation, from, stream, streamHint, submit, to, type, typeHint } =
    words.audit.find;
  return (
    <search>
      <Form send={find} submit={submit}>
        {() => (
          <>
            <Field label={stream} name="stream" hint={streamHint} defaultValue={filter.stream} />
            <Select label={category} name="category" options={categories} defaultValue={filter.category} />
            <Field label={type} name="type" hint={typeHint} defaultValue={filter.type} />
            <Field label={actor} name="actor" hint={actorHint} defaultValue={filter.actor} />
            <Field label={correlation} name="correlation" defaultValue={filter.correlation} />
            <TimeField label={from} name="from" at={filter.from} />
            <TimeField label={to} name="to" at={filter.to} />
          </>
        )}
      </Form>
    </search>
  );
}

/** Returns the function that reads a page of the log. */
function useReadLog() {
  const chat = useChat();
  type Query = NonNullable<Parameters<typeof chat.rest.GET<'/v1/audit/events', object>>[1]>;
  return async (
    query: Record<string, string | number | undefined>,
    asked: object,
    onEvents: (events: LogPage['events']) => void = () => undefined,
  ): Promise<LogPage> => {
    const params = { query: query as object };
    const options = { ...asked, params, parseAs: 'stream' } as const;
    const stream = await dataOf(chat.rest.GET('/v1/audit/events', options as Query & { parseAs: 'stream' }));
    return readPage(stream as ReadableStream<Uint8Array<ArrayBuffer>>, onEvents);
  };
}

function Results({ filter, after }: { filter: Filter; after: string | undefined }) {
  const read = useReadLog();
  const by = useAccess().grant?.grantId;
  const [soFar, setSoFar] = useState<Partial<LogPage> & { by: string | undefined }>();
  const query = { ...filter, limit: PAGE, ...(after !== undefined && { afterPosition: after }) };
  const { data, problem, reload } = useLook(
    (asked) => read(query, asked, (events) => !asked.signal?.aborted && setSoFar({ by, events })),
    [],
  );
  const heading = useRef<HTMLHeadingElement>(null);
  const isLater = after !== undefined;
  useEffect(() => {
    if (isLater) heading.current?.focus();
  }, [isLater]);
  const events =
    data?.events ?? (problem === undefined && soFar?.by === by ? soFar?.events : undefined) ?? [];
  const { end, found, next, none, results, silent } = words.audit.find;
  return (
    <section aria-labelledby="results">
      <h2 id="results" ref={heading} tabIndex={-1}>
        {results}
      </h2>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && (
        <p role="status">
          {data.events.length > 0 ? found(data.events.length) : data.next === null ? none : silent}
        </p>
      )}
      <ul className="cards">
        {events.map((event) => (
          <li key={event.id}>
            <EventItem event={event} />
          </li>
        ))}
      </ul>
      {data &&
        (data.next === null ? (
          <p className="quiet">{end}</p>
        ) : (
          <Link className="button" to={toFind({ ...filter, after: data.next })} rel="next">
            {next}
          </Link>
        ))}
    </section>
  );
}

/** The streams of one subject, which may be of any kind. */
function Streams({ id }: { id: string }) {
  const read = useReadLog();
  const { data, problem, reload } = useLook(async (asked) => {
    const found: string[] = [];
    // One after the other: the server runs few of these at a time.
    for (const [category] of categories) {
      const stream = `${category}-${id.toLowerCase()}`;
      const { events } = await read({ stream, limit: 1 }, asked);
      if (events.length > 0) found.push(stream);
    }
    return found;
  }, []);
  const { doneBy, noStreams, streams } = words.audit.find;
  return (
    <section aria-labelledby="results">
      <h2 id="results">{streams}</h2>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data?.length === 0 && <p role="status">{noStreams}</p>}
      <ul className="rows">
        {data?.map((stream) => (
          <li key={stream}>
            <Link to={toStream(stream)}>{stream}</Link>
          </li>
        ))}
        {data?.some((stream) => stream.startsWith('account-')) && (
          <li>
            <Link to={toFind({ actor: id.toLowerCase() })}>{doneBy}</Link>
          </li>
        )}
      </ul>
    </section>
  );
}
