import { ChatProblem, type components, dataOf } from 'slay-e-chat-client';
import { useEffect, useRef } from 'react';
import { useChat } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Time, exactly } from '../parts/time.tsx';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { type Reading, useAccess, useLook } from './grant.tsx';
import { Person, toAccess, toEvent, toGroup, toPrivacy, toStream } from './links.tsx';
import { Slider, TimeForm } from './moment.tsx';

type PastMessage = components['schemas']['PastMessage'];
type PastReader = components['schemas']['PastReader'];

const PAGE = 50;

/** A moment: after an event of the conversation, by a time, or by a position of the log. */
interface Moment {
  seq?: number;
  at?: string;
  atPosition?: string;
}

/** Returns the moment in the address of the page. */
function useMoment(): Moment & { before?: number | undefined } {
  const { query } = useLocation();
  const [seq, at, atPosition] = [query.get('seq') ?? '', query.get('at'), query.get('atPosition')];
  const before = Number(query.get('before') ?? Number.NaN);
  const older = Number.isInteger(before) ? { before } : {};
  if (/^\d{1,15}$/.test(seq)) return { seq: Number(seq), ...older };
  if (at !== null) return { at, ...older };
  return atPosition === null ? older : { atPosition, ...older };
}

const isUnknown = (problem: unknown): boolean =>
  problem instanceof ChatProblem && problem.code === 'GROUP_NOT_FOUND';

/** Looks at a group: as it is now, and at a moment. */
function useGroup(groupId: string, { seq, before, ...given }: ReturnType<typeof useMoment>) {
  const chat = useChat();
  const look = (query: object, reading: Reading) =>
    dataOf(chat.rest.GET('/v1/audit/groups/{groupId}', { ...reading, params: { path: { groupId }, query } }));

  /** Resolves with the event of the conversation that has a seq; before all of them, with the first one of the group. */
  async function eventAt(wanted: number, reading: Reading) {
    const path = { streamId: wanted === 0 ? `chatGroup-${groupId}` : `conversation-${groupId}` };
    const query = { atRevision: Math.max(0, wanted - 1), ...(wanted > 1 && { afterRevision: wanted - 2 }) };
    const params = { path, query };
    return (await dataOf(chat.rest.GET('/v1/audit/streams/{streamId}', { ...reading, params }))).events[0];
  }

  const now = useLook((reading) => look({ limit: PAGE }, reading), []);
  const isLatest = seq === undefined && before === undefined && Object.keys(given).length === 0;
  const then = useLook(
    async (reading) => {
      if (isLatest) return now.data && { event: undefined, group: now.data };
      const event = seq === undefined ? undefined : await eventAt(seq, reading);
      const moment = event ? { atPosition: event.position } : given;
      const older = before === undefined ? {} : { beforeSeq: before };
      return { event, group: await look({ ...moment, ...older, limit: PAGE }, reading) };
    },
    [seq, given.at, given.atPosition, before, isLatest && now.data],
  );
  return { now, then };
}

/** A conversation as its members saw it at a moment, and who could read it then. */
export function Group({ groupId }: { groupId: string }) {
  const { before, ...moment } = useMoment();
  const { now, then } = useGroup(groupId, { ...moment, before });
  const { comings, events, hold, none, notYet, title } = words.audit.group;
  if (isUnknown(now.problem))
    return (
      <Page title={title}>
        <p role="status">{none}</p>
      </Page>
    );
  return (
    <Page title={title}>
      <p className="row">
        <Link to={toStream(`chatGroup-${groupId}`)}>{comings}</Link>
        <Link to={toStream(`conversation-${groupId}`)}>{events}</Link>
        <Link to={toPrivacy({ group: groupId })}>{hold}</Link>
      </p>
      <OpenText groupId={groupId} />
      <Problem of={now.problem} retry={now.reload} />
      <Travel groupId={groupId} moment={moment} now={now} then={then} />
      {isUnknown(then.problem) ? (
        <p role="status">{notYet}</p>
      ) : (
        <Problem of={then.problem} retry={then.reload} />
      )}
      {!then.data && then.problem === undefined && <Loading />}
      {then.data && (
        <>
          <Readers readers={then.data.group.readers} status={then.data.group.status} />
          <Messages {...{ groupId, moment, before }} group={then.data.group} />
        </>
      )}
    </Page>
  );
}

/** Goes through time: event by event, or to a time. */
function Travel({
  groupId,
  moment,
  now,
  then,
}: { groupId: string; moment: Moment } & ReturnType<typeof useGroup>) {
  const head = now.data?.headSeq;
  if (head === undefined) return null;
  const event = then.data?.event;
  const seq = moment.seq ?? then.data?.group.headSeq ?? head;
  const goTo = (next: Moment, replaces = false): void =>
    navigate(toGroup(groupId, { ...next }), { replaces });
  function goToNow(): void {
    goTo({});
    now.reload();
  }
  const { latest, slider, step } = words.audit.group;
  return (
    <section aria-label={slider}>
      {head > 0 && (
        <Slider
          {...{ label: slider, min: 0, max: head, value: Math.min(seq, head) }}
          say={(to) =>
            step(
              to,
              head,
              event?.revision === to - 1 ? `${event.type}, ${exactly(event.occurredAt)}` : undefined,
            )
          }
          onRest={(to) => goTo({ seq: to }, true)}
        />
      )}
      <TimeForm at={moment.at ?? event?.occurredAt} onAsk={(at) => goTo({ at })} />
      <button type="button" onClick={goToNow}>
        {latest}
      </button>
    </section>
  );
}

function Messages({
  groupId,
  moment,
  before,
  group: { messages, hasMore },
}: {
  groupId: string;
  moment: Moment;
  before: number | undefined;
  group: components['schemas']['PastGroup'];
}) {
  const { earlier, last, unsaid } = words.audit.group;
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(before);
  useEffect(() => {
    // The link that led here may be gone.
    if (shown.current !== before) heading.current?.focus();
    shown.current = before;
  }, [before]);
  return (
    <section aria-labelledby="messages">
      <h2 id="messages" ref={heading} tabIndex={-1}>
        {words.conversation.messages}
      </h2>
      {messages.length === 0 && <p className="quiet">{unsaid}</p>}
      {hasMore && (
        <Link className="button" to={toGroup(groupId, { ...moment, before: messages[0]?.seq })}>
          {earlier}
        </Link>
      )}
      <ol className="cards">
        {messages.map((message) => (
          <li key={message.id}>
            <Message message={message} />
          </li>
        ))}
      </ol>
      {before !== undefined && (
        <Link className="button" to={toGroup(groupId, { ...moment })}>
          {last}
        </Link>
      )}
    </section>
  );
}

/** Says that texts are redacted, and leads to where they are opened. */
function OpenText({ groupId }: { groupId: string }) {
  const { grant } = useAccess();
  const { path, query } = useLocation();
  if (grant && 'groupId' in grant.scope && grant.scope.groupId === groupId) return null;
  const next = `${path}${query.size > 0 ? `?${query}` : ''}`;
  return (
    <p>
      {words.audit.group.redacted}{' '}
      <Link to={toAccess({ group: groupId, next })}>{words.audit.stream.openText}</Link>
    </p>
  );
}

function Readers({ readers, status }: { readers: readonly PastReader[]; status: string }) {
  const { closed, count, nobody, since, title } = words.audit.readers;
  return (
    <section aria-labelledby="readers">
      <h2 id="readers">{title}</h2>
      {status === 'closed' && <p>{closed}</p>}
      <details open={readers.length <= 10}>
        <summary>{readers.length === 0 ? nobody : count(readers.length)}</summary>
        <ul className="cards">
          {readers.map(({ userId, role, since: at, byEvent }) => (
            <li key={userId}>
              <p>
                <Person userId={userId} /> <span className="tag">{words.audit.readers.roles[role]}</span>
              </p>
              <p>
                {since} <Time at={at} as="exact" />{' '}
                <Link to={toEvent(byEvent)}>{words.audit.readers.why}</Link>
              </p>
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

/** A message as it was then: also without its text, if that was deleted by then or has been erased since. */
function Message({ message }: { message: PastMessage }) {
  const { seq, senderId, text, erasedAt, files, replyTo, reactions, occurredAt, editedAt, deletedAt } =
    message;
  const { answers, deleted, edited, erased, number } = words.audit.message;
  const said = Object.entries(reactions);
  return (
    <article aria-label={number(seq)}>
      <p className="row">
        <span className="quiet">{number(seq)}</span> <Person userId={senderId} />{' '}
        <Time at={occurredAt} as="exact" />
        {editedAt !== null && <span className="tag">{edited(exactly(editedAt))}</span>}
      </p>
      {replyTo !== null && <p className="quiet">{answers(replyTo)}</p>}
      {deletedAt !== null ? (
        <p className="quiet">{deleted(exactly(deletedAt))}</p>
      ) : erasedAt !== null ? (
        <p className="quiet">{erased(exactly(erasedAt))}</p>
      ) : (
        text !== null && (
          <p className="prose" dir="auto">
            {text}
          </p>
        )
      )}
      <ul className="files">
        {files.map(({ id, name, size, status }) => (
          <li key={id} className="file">
            <span dir="auto">{name}</span> <span className="quiet">{words.file.size(size)}</span>{' '}
            <span className="tag">{words.audit.message.statuses[status]}</span>
          </li>
        ))}
      </ul>
      {said.length > 0 && (
        <p>
          {said.map(([emoji, users]) => (
            <span key={emoji} className="tag">
              {emoji} {words.number(users.length)}
            </span>
          ))}
        </p>
      )}
    </article>
  );
}
