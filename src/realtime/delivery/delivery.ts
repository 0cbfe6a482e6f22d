import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { Recorded, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { FileNews, GroupPush } from './what-sockets-hear.ts';

/** How far the broadcaster has come, by the times of the events, in ms since 1970. */
export interface Progress {
  /** Everything that happened up to then has been delivered. */
  until: number;
  /** Except for some events up to then, which only `heads` tell of; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** The port by which the broadcaster reaches sockets, event by event, in the order of the log. */
export interface Delivery {
  /** Gets each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** A group's roster has changed: comes before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** Reaches all members of a group; `needs` is the revision of its roster that the event relied on. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, needs: Revision): void;
  /** Reaches all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
  /** Reports how far the broadcaster has come. */
  progress(progress: Progress): void;
  /** Resolves once everything has left. Rejects when some of it was lost: it has to be delivered again. */
  takenOver(): Promise<void> | undefined;
}
