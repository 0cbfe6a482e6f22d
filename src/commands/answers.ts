import type { ConversationEvent } from '../events/domain-event.ts';
import type { Position } from '../events/event-store.ts';
import type { Outcome } from './handle-command.ts';

/** How clients see a position: opaque, and sorted by nobody but us. */
export const encodePosition = (position: Position): string => String(position);

/** What the sender of a message hears, over REST and the socket alike. */
export function messageSentAnswer({ events, duplicate, position }: Outcome<ConversationEvent>) {
  const [sent] = events;
  if (sent?.type !== 'MessageSent') throw new Error('SendMessage always has a MessageSent to tell of');
  const { occurredAt, revision, data } = sent;
  return {
    messageId: data.messageId,
    seq: revision + 1,
    occurredAt,
    duplicate,
    position: encodePosition(position),
  };
}

/** What the author of a change to a message hears; `knownSeq` stands where nothing had to change. */
export function messageChangedAnswer({ events, position }: Outcome<ConversationEvent>, knownSeq: number) {
  const revision = events[0]?.revision;
  return { seq: revision === undefined ? knownSeq : revision + 1, position: encodePosition(position) };
}
