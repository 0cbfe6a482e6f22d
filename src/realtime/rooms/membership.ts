import type { AggregateLoader, Folded } from '../../commands/aggregate-cache.ts';
import { type ExistingGroup, chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import { loadRoom, mayInRoom, requireInRoom } from '../../commands/chat-group/room.ts';
import type { Actor, AggregateRef } from '../../commands/command.ts';
import { companyOf } from '../../commands/company/company.ts';
import type { RoomRight } from '../../commands/company/rights.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { type EventStore, NO_STREAM } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';

export interface Membership {
  /** Resolves with those of the groups that the actor may read, by the current log. */
  among(groupIds: readonly GroupId[], actor: Actor): Promise<ReadonlyMap<GroupId, ExistingGroup>>;
  /**
   * Resolves with the group, by the current log. Throws `CommandRejected` GROUP_NOT_FOUND unless the actor may read it.
   */
  requireNow(groupId: GroupId, actor: Actor): Promise<ExistingGroup>;
  /** Throws `CommandRejected` unless the actor has a right. It may rely on one that ended a moment ago, without a read. */
  require(groupId: GroupId, actor: Actor, right: RoomRight): Promise<void>;
}

/** Authority over groups comes from the log, never from rooms or read models. */
export function createMembership(loader: AggregateLoader, store: Pick<EventStore, 'revisions'>): Membership {
  /** Resolves with the present states. Streams are read where more was appended than is known of them. */
  async function present<S>(refs: readonly AggregateRef<S>[]): Promise<Folded<S>[]> {
    const newest = await store.revisions(refs.map(({ stream }) => stream));
    return Promise.all(
      refs.map(async (ref) => {
        const known = await loader.load(ref);
        return known.revision >= (newest.get(ref.stream) ?? NO_STREAM) ? known : loader.refresh(ref);
      }),
    );
  }

  /** Resolves with the companies of some groups, for an actor who may be one of their people. */
  async function companiesOf(groups: readonly ExistingGroup[], { role }: Actor) {
    const ids = new Set<UserId>();
    if (role === 'company') for (const { companyId } of groups) if (companyId !== null) ids.add(companyId);
    const companies = ids.size === 0 ? [] : await present([...ids].map(companyOf));
    return new Map([...ids].map((id, index) => [id, companies[index]!.state]));
  }

  async function among(groupIds: readonly GroupId[], actor: Actor): Promise<Map<GroupId, ExistingGroup>> {
    const groups = new Map<GroupId, ExistingGroup>();
    for (const [index, { state }] of (await present(groupIds.map(chatGroupOf))).entries())
      if (state.status !== 'none') groups.set(groupIds[index]!, state);
    const companies = await companiesOf([...groups.values()], actor);
    const isReadable = (group: ExistingGroup) =>
      mayInRoom(
        { group, company: group.companyId === null ? undefined : companies.get(group.companyId) },
        actor.userId,
        'read',
      );
    return new Map([...groups].filter(([, group]) => isReadable(group)));
  }

  async function requireNow(groupId: GroupId, actor: Actor): Promise<ExistingGroup> {
    const group = (await among([groupId], actor)).get(groupId);
    if (!group) throw new CommandRejected('GROUP_NOT_FOUND');
    return group;
  }

  return {
    among,
    requireNow,
    async require(groupId, actor, right) {
      const known = await loadRoom((ref) => loader.load(ref), groupId, actor);
      if (mayInRoom(known, actor.userId, right)) return;
      requireInRoom(await loadRoom((ref) => loader.refresh(ref), groupId, actor), actor, right);
    },
  };
}
