import { ChatProblem, dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { exactly } from '../parts/time.tsx';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { compared, shown } from './differences.ts';
import { type AnyLine, EventItem } from './event-item.tsx';
import { type Reading, useLook } from './grant.tsx';
import { groupOf, toAccess, toFind, toGroup, toStream } from './links.tsx';
import { Slider, TimeForm } from './moment.tsx';
import { Tree } from './tree.tsx';

/** Events of the timeline that are drawn at a time. */
const PAGE = 50;
/** No stream is that long: after it come no events, and what is asked for is the state alone. */
const NONE_AFTER = Number.MAX_SAFE_INTEGER;

interface Moment {
  revision?: number;
  at?: string;
}

/** Returns the moment in the address of the page. */
function useMoment(): Moment {
  const { query } = useLocation();
  const [revision, at] = [query.get('revision') ?? '', query.get('at')];
  if (/^\d{1,15}$/.test(revision)) return { revision: Number(revision) };
  return at === null ? {} : { at };
}

const isUnknown = (problem: unknown): boolean =>
  problem instanceof ChatProblem && problem.code === 'STREAM_NOT_FOUND';

/** Looks at a stream: as it is now, at a moment and just before, and what happened around there. */
function useStream(stream: string, { revision: asked, at }: Moment) {
  const chat = useChat();
  const params = (query: object) => ({ path: { streamId: stream }, query });
  const look = (query: object, reading: Reading) =>
    dataOf(chat.rest.GET('/v1/audit/streams/{streamId}', { ...reading, params: params(query) }));
  const stateAt = (moment: object, reading: Reading) =>
    look({ ...moment, afterRevision: NONE_AFTER }, reading);

  const now = useLook((reading) => stateAt({}, reading), []);
  const isLatest = asked === undefined && at === undefined;
  const then = useLook(
    async (reading) => {
      const chosen = isLatest
        ? now.data
        : await stateAt(at === undefined ? { atRevision: asked } : { at }, reading);
      if (!chosen) return undefined;
      const { revision } = chosen;
      // What the event changed is seen beside the revision before.
      return {
        chosen,
        before: revision > 0 ? await stateAt({ atRevision: revision - 1 }, reading) : undefined,
      };
    },
    [asked, at, isLatest && now.data],
  );
  const head = now.data?.revision;
  const revision = asked === undefined ? then.data?.chosen.revision : Math.min(asked, head ?? asked);
  const start = revision === undefined ? undefined : revision - (revision % PAGE);
  const around = useLook(
    async (reading) => {
      if (start === undefined) return undefined;
      const query = { atRevision: start + PAGE - 1, ...(start > 0 && { afterRevision: start - 1 }) };
      return { start, events: (await look(query, reading)).events };
    },
    [start],
  );
  return { now, then, around, head, revision };
}

/** A stream: its state at any moment, and the events that led there. */
export function Stream({ stream }: { stream: string }) {
  const moment = useMoment();
  const { now, then, around, head, revision } = useStream(stream, moment);
  const event = around.data?.events.find((each) => each.revision === revision);
  const goTo = (next: Moment, replaces = false): void =>
    navigate(toStream(stream, { ...next }), { replaces });
  function goToLatest(): void {
    goTo({});
    now.reload();
    around.reload();
  }
  const { events, latest, none, slider, step } = words.audit.stream;
  if (isUnknown(now.problem))
    return (
      <Page title={stream}>
        <p role="status">{none}</p>
      </Page>
    );
  return (
    <Page title={stream}>
      <Places stream={stream} />
      <Problem of={now.problem} retry={now.reload} />
      {head !== undefined && (
        <section aria-label={slider}>
          {head > 0 && (
            <Slider
              {...{ label: slider, min: 0, max: head, value: revision ?? 0 }}
              say={(at) => step(at, head, event?.revision === at ? saying(event) : undefined)}
              onRest={(to) => goTo({ revision: to }, true)}
            />
          )}
          <TimeForm at={moment.at ?? event?.occurredAt} onAsk={(at) => goTo({ at })} />
          <button type="button" onClick={goToLatest}>
            {latest}
          </button>
        </section>
      )}
      <State then={then} revision={revision} />
      <section aria-labelledby="events">
        <h2 id="events">{events}</h2>
        <Problem of={around.problem} retry={around.reload} />
        {!around.data && around.problem === undefined && <Loading />}
        {around.data && head !== undefined && (
          <Timeline {...around.data} stream={stream} head={head} revision={revision} />
        )}
      </section>
    </Page>
  );
}

const saying = ({ type, occurredAt }: AnyLine): string => `${type}, ${exactly(occurredAt)}`;

/** The state at the chosen moment, with what the last event changed. */
function State({
  then: { data, problem, reload },
  revision,
}: Pick<ReturnType<typeof useStream>, 'then' | 'revision'>) {
  const { first, notYet, state } = words.audit.stream;
  return (
    <section aria-labelledby="state" aria-busy={data?.chosen.revision !== revision}>
      <h2 id="state">{state(data?.chosen.revision)}</h2>
      {isUnknown(problem) ? <p role="status">{notYet}</p> : <Problem of={problem} retry={reload} />}
      {!data && problem === undefined && <Loading />}
      {data?.chosen.revision === 0 && <p className="quiet">{first}</p>}
      {data && (
        <Tree
          difference={
            data.before ? compared('', data.before.state, data.chosen.state) : shown('', data.chosen.state)
          }
        />
      )}
    </section>
  );
}

/** Where else one may want to look. */
function Places({ stream }: { stream: string }) {
  const groupId = groupOf(stream);
  const { path, query } = useLocation();
  const next = `${path}${query.size > 0 ? `?${query}` : ''}`;
  const userId = /^account-(.+)$/.exec(stream)?.[1];
  const { allEvents, asGroup, doneBy, openText } = words.audit.stream;
  return (
    <p className="row">
      <Link to={toFind({ stream })}>{allEvents}</Link>
      {groupId !== undefined && <Link to={toGroup(groupId)}>{asGroup}</Link>}
      {userId !== undefined && <Link to={toFind({ actor: userId })}>{doneBy}</Link>}
      {(groupId ?? userId) !== undefined && (
        <Link to={toAccess({ group: groupId, user: userId, next })}>{openText}</Link>
      )}
    </p>
  );
}

function Timeline({
  stream,
  events,
  start,
  head,
  revision,
}: {
  stream: string;
  events: readonly AnyLine[];
  start: number;
  head: number;
  revision: number | undefined;
}) {
  const { earlier, later, showHere } = words.audit.stream;
  return (
    <>
      {start > 0 && (
        <Link className="button" to={toStream(stream, { revision: start - 1 })}>
          {earlier}
        </Link>
      )}
      <ol className="cards timeline" start={start}>
        {events.map((event) => (
          <li key={event.id}>
            <EventItem event={event} isCurrent={event.revision === revision}>
              <Link to={toStream(stream, { revision: event.revision })}>{showHere(event.revision)}</Link>
            </EventItem>
          </li>
        ))}
      </ol>
      {start + PAGE <= head && (
        <Link className="button" to={toStream(stream, { revision: start + PAGE })}>
          {later}
        </Link>
      )}
    </>
  );
}
