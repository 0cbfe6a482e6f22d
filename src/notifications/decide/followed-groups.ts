import type { AggregateLoader, Folded } from '../../commands/aggregate-cache.ts';
import { type ChatGroup, chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import type { AggregateRef } from '../../commands/command.ts';
import type { ChatGroupEvent, EventOf } from '../../events/domain-event.ts';
import { groupIdOf } from '../../protocol/envelope.ts';
import { NO_STREAM, type Recorded, type Revision } from '../../events/event-store.ts';
import type { GroupId } from '../../events/ids.ts';

/** Number of groups after which the map is cleared. A state older than that has left every cache. */
const MOST_GROUPS = 10_000;

/** Creates the groups as a follower of the log sees them. */
export function followedGroups(loader: AggregateLoader) {
  const newest = new Map<GroupId, Revision>();

  async function read(ref: AggregateRef<ChatGroup>, needed: Revision): Promise<Folded<ChatGroup>> {
    const group = await loader.load(ref);
    return group.revision >= needed ? group : loader.refresh(ref);
  }

  return {
    /** Records an event of a group. Events come in log order. */
    absorb(event: Recorded<ChatGroupEvent>): void {
      const groupId = groupIdOf(event);
      loader.absorb(chatGroupOf(groupId), [event]);
      if (newest.size >= MOST_GROUPS) newest.clear();
      newest.set(groupId, event.revision);
    },

    /**
     * Returns the group in a state at least as new as the message: no older than the events before it and the
     * membership of its sender. Resolves with it when it has to be read: when it is not in the cache, or in an
     * older state, from a load that began before a change and ended after it.
     */
    of({ data, metadata }: Recorded<EventOf<'MessageSent'>>): Folded<ChatGroup> | Promise<Folded<ChatGroup>> {
      const ref = chatGroupOf(data.groupId);
      const cached = loader.guess(ref);
      const reliedOn = metadata.reliedOn?.[ref.stream] ?? NO_STREAM;
      const needed = Math.max(reliedOn, newest.get(data.groupId) ?? NO_STREAM);
      if (cached.revision > NO_STREAM && cached.revision >= needed) return cached;
      return read(ref, needed);
    },
  };
}
