import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { Recorded, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { FileNews, GroupPush } from './what-sockets-hear.ts';

/** How much has been told, by the times of the events, in ms since 1970. */
export interface Told {
  /** Everything that happened up to then. */
  until: number;
  /** But for some things that happened up to then, which only `heads` tell of; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** Where the broadcaster tells what happened, event by event, in the order of the log. */
export interface Push {
  /** Told of each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** The roster of a group has changed: comes before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** For all members of a group; `needs` is the revision of its roster that the event relied on. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, needs: Revision): void;
  /** For all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
  told(told: Told): void;
  /** Resolves once all that was told has left. Rejects when some of it was lost: then it is to be told again. */
  takenOver(): Promise<void> | undefined;
}
