import type { EventType } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { ApplicationNews, MessageNews } from '../deliver/notification-facts.ts';
import type { NotificationKind } from '../notification.ts';
import { applicationStatus } from './application-status.ts';
import { applicationSubmitted } from './application-submitted.ts';
import type { Deciding, Kind, Recipients } from './kind.ts';
import { message } from './message.ts';

/** The kind of notification that each event causes; undefined for events that cause none. */
export const kindByEvent = {
  AccountRegistered: undefined,
  ProfileChanged: undefined,
  NotificationPreferencesSet: undefined,
  ErasureRequested: undefined,
  ErasureWithdrawn: undefined,
  AccountErased: undefined,
  CompanyRenamed: undefined,
  TeammateInvited: undefined,
  InvitationRevoked: undefined,
  TeammateJoined: undefined,
  TeammateChanged: undefined,
  TeammateRemoved: undefined,
  JobPosted: undefined,
  JobDetailsChanged: undefined,
  JobConversationsChanged: undefined,
  JobConversationsFixed: undefined,
  JobClosed: undefined,
  ApplicationSubmitted: 'application-submitted',
  ApplicationWithdrawn: undefined,
  ApplicationResubmitted: 'application-submitted',
  ApplicationStatusChanged: 'application-status',
  ApplicationAssigned: undefined,
  ApplicationReconsidered: 'application-status',
  NoteAdded: undefined,
  NoteDeleted: undefined,
  ChatGroupCreated: undefined,
  MemberJoined: undefined,
  MemberLeft: undefined,
  MemberRemoved: undefined,
  GroupKindChanged: undefined,
  ThreadAssigned: undefined,
  GroupClosed: undefined,
  GroupReopened: undefined,
  MessageSent: 'message',
  MessageEdited: undefined,
  MessageDeleted: undefined,
  ReactionAdded: undefined,
  ReactionRemoved: undefined,
  FileUploadRequested: undefined,
  FileUploaded: undefined,
  FileCleared: undefined,
  FileRefused: undefined,
  AccessGranted: undefined,
  AccessEnded: undefined,
  HoldPlaced: undefined,
  HoldReleased: undefined,
  MonthExpired: undefined,
  OperatorActed: undefined,
} as const satisfies Record<EventType, NotificationKind | undefined>;

/** The kinds that some event causes. The type of `kinds` requires that these are all kinds. */
type CausedKind = NonNullable<(typeof kindByEvent)[EventType]>;
type EventTypeOf<K extends CausedKind> = {
  [T in EventType]: (typeof kindByEvent)[T] extends K ? T : never;
}[EventType];

/** The news of each kind. */
interface NewsOf {
  'application-status': ApplicationNews;
  'application-submitted': ApplicationNews;
  message: MessageNews;
}

/** The news in one letter or one push, by kind. In log order. */
export type News = { [K in NotificationKind]: NewsOf[K][] };

/**
 * All kinds of notification, the most important first. The first with news gives a letter its subject and a
 * push its text.
 */
export const kinds: { [K in NotificationKind]: Kind<EventTypeOf<K>, NewsOf[K]> } = {
  'application-status': applicationStatus,
  'application-submitted': applicationSubmitted,
  message,
};

export const kindNames = Object.keys(kinds) as NotificationKind[];

/** The event types that may cause notifications. */
export const notifyingTypes: readonly EventType[] = Object.entries(kindByEvent).flatMap(([type, kind]) =>
  kind === undefined ? [] : [type as EventType],
);

/** Returns the recipients of an event, as its kind decides; undefined when the event causes no notification. */
export function recipientsOf(
  event: Recorded,
  deciding: Deciding,
): Recipients | Promise<Recipients> | undefined {
  const kind = kindByEvent[event.type];
  return kind && kinds[kind].recipientsOf(event as never, deciding);
}
