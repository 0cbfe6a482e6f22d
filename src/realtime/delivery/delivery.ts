import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { Recorded, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { FileNews, GroupPush } from './what-sockets-hear.ts';

/** The progress of the broadcaster, by the times of the events, in ms since 1970. */
export interface Progress {
  /** All events up to this time have been delivered. */
  until: number;
  /** Some events up to this time were left out, and only `heads` shows them; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** The port by which the broadcaster reaches sockets, event by event, in the order of the log. */
export interface Delivery {
  /** Called with each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** Handles a change of a group's roster. Called before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** Sends to all members of a group; `needs` is the revision of its roster that the event relied on. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, needs: Revision): void;
  /** Sends to all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
  /** Reports the progress of the broadcaster. */
  progress(progress: Progress): void;
  /** Resolves once everything has been sent. Rejects when some of it was lost and has to be delivered again. */
  takenOver(): Promise<void> | undefined;
}
