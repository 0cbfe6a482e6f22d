import type { components } from 'slay-e-chat-client';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Time } from '../parts/time.tsx';
import { Link } from '../router.tsx';
import { words } from '../words.ts';
import { Person, groupOf, toEvent, toFind, toGroup, toStream } from './links.tsx';
import { Value } from './tree.tsx';

/** An event, wherever it was read. */
export type AnyLine = Omit<components['schemas']['AuditLine'], 'recordedAt'>;

/** Who caused an event: a user, perhaps by a client, or the system. */
export function Actor({ actorId, via }: Pick<AnyLine, 'actorId' | 'via'>) {
  const { bySystem, byClient } = words.audit.event;
  return (
    <>
      {actorId === null ? bySystem : <Person userId={actorId} />}
      {via && ` ${byClient(via.clientId)}`}
    </>
  );
}

/** An event with its links, and its data for whoever wants to see them. */
export function EventItem({
  event,
  isCurrent = false,
  children,
}: {
  event: AnyLine;
  isCurrent?: boolean;
  children?: ReactNode;
}) {
  const { id, stream, revision, type, occurredAt, actorId, correlationId, position } = event;
  const groupId = groupOf(stream);
  const { by, current, group, sameRequest, trace } = words.audit.event;
  return (
    <article
      aria-label={`${type}, ${stream}, ${revision}`}
      aria-current={isCurrent ? 'true' : undefined}
      className="event"
    >
      <p className="row">
        <strong>{type}</strong> <Time at={occurredAt} as="exact" />
        {isCurrent && <span className="tag">{current}</span>}
      </p>
      <p>
        <Link to={toStream(stream, { revision })}>{stream}</Link>{' '}
        <span className="quiet">{words.audit.event.place(revision, position)}</span>
      </p>
      <p>
        {by} <Actor {...event} />
      </p>
      <Data data={event.data} />
      <p className="row">
        <Link to={toEvent(id)}>{trace}</Link>
        {groupId !== undefined && <Link to={toGroup(groupId, { atPosition: position })}>{group}</Link>}
        {correlationId !== null && <Link to={toFind({ correlation: correlationId })}>{sameRequest}</Link>}
        {actorId !== null && <Link to={toFind({ actor: actorId })}>{words.audit.event.sameActor}</Link>}
      </p>
      {children}
    </article>
  );
}

/** What an event says. It is drawn once it is opened. */
function Data({ data }: { data: unknown }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{words.audit.event.data}</summary>
      {isOpen && <Value value={data} />}
    </details>
  );
}
