import type { ChatGroupEvent, CompanyEvent, ConversationEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { asStored } from '../events/stored-events.ts';

/** The public form of a group's event, on the socket, in `sync`, in queues and in exports. */
export interface Envelope {
  id: string;
  type: string;
  v: number;
  groupId: string;
  /** Position in the conversation: 1, 2, 3 … without holes. */
  seq?: number;
  /** Version of the member list. Events of the group itself have it in place of `seq`. */
  roster?: number;
  occurredAt: string;
  actorId: string | null;
  data: unknown;
}

type GroupEvent = Recorded<ConversationEvent> | Recorded<ChatGroupEvent>;

export const isConversationEvent = (event: { stream: string }): event is Recorded<ConversationEvent> =>
  event.stream.startsWith('conversation-');

export const isChatGroupEvent = (event: { stream: string }): event is Recorded<ChatGroupEvent> =>
  event.stream.startsWith('chatGroup-');

export const isCompanyEvent = (event: { stream: string }): event is Recorded<CompanyEvent> =>
  event.stream.startsWith('company-');

/** Returns the group of an event by its stream, because this code may not know the event. */
export const groupIdOf = ({ stream }: GroupEvent): GroupId =>
  stream.slice(stream.indexOf('-') + 1) as GroupId;

/** Returns the company of an event by its stream. */
export const companyIdOf = ({ stream }: Pick<Recorded<CompanyEvent>, 'stream'>): UserId =>
  stream.slice(stream.indexOf('-') + 1) as UserId;

/** Returns the envelope of an event. An event of newer code keeps its stored form, since the client may know it. */
export function toEnvelope(event: GroupEvent): Envelope {
  const { id, revision, occurredAt, metadata } = event;
  const { type, v, data } = asStored(event);
  const order = isConversationEvent(event) ? { seq: revision + 1 } : { roster: revision + 1 };
  return { id, type, v, groupId: groupIdOf(event), ...order, occurredAt, actorId: metadata.actorId, data };
}
