import { type GroupRole, chatGroupEvents } from '../events/chat-group.ts';
import type { ChatGroupEvent, EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { plain, quoted } from './columns.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Created = Recorded<EventOf<'ChatGroupCreated'>>;
type Movement = Recorded<Exclude<ChatGroupEvent, { type: 'GroupClosed' }>>;

interface Departure {
  groupId: string;
  userId: string;
  roster: number;
}
/** How a member that came in during a batch stands at its end. */
interface Stay extends Departure {
  role: GroupRole;
  isActive: boolean;
  joinedAt: string;
}
/** What a batch says about one group as a whole. */
interface GroupChange {
  groupId: string;
  roster: number;
  isClosed: boolean;
}

const create = (events: Created[]): Statement => ({
  name: 'create',
  text: `
    insert into groups (group_id, job_id, name, created_at, position, owner_id, status, roster, member_count)
    select b.*, 'open', 0, 0
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[], $6::uuid[]) b
    on conflict do nothing`,
  values: [
    plain(events.map(({ data }) => data.groupId)),
    plain(events.map(({ data }) => data.jobId)),
    quoted(events.map(({ data }) => data.name)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ position }) => position)),
    plain(events.map(({ data }) => data.adminId)),
  ],
});

const leave = (departures: Departure[]): Statement => ({
  name: 'leave',
  text: `
    update members m set is_active = false, roster = b.roster
    from unnest($1::uuid[], $2::uuid[], $3::bigint[]) b (group_id, user_id, roster)
    where m.group_id = b.group_id and m.user_id = b.user_id and m.roster < b.roster`,
  values: [
    plain(departures.map(({ groupId }) => groupId)),
    plain(departures.map(({ userId }) => userId)),
    plain(departures.map(({ roster }) => roster)),
  ],
});

/** Whoever is in already gets another role and has been in since the first time. */
const join = (stays: Stay[]): Statement => ({
  name: 'join',
  text: `
    insert into members as m (group_id, user_id, role, is_active, joined_at, roster, owner_id)
    select b.*, g.owner_id
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[], $5::timestamptz[], $6::bigint[])
      b (group_id, user_id, role, is_active, joined_at, roster)
    left join groups g on g.group_id = b.group_id
    on conflict (group_id, user_id) do update
    set role = excluded.role, is_active = excluded.is_active, roster = excluded.roster,
      joined_at = case when m.is_active then m.joined_at else excluded.joined_at end
    where m.roster < excluded.roster`,
  values: [
    plain(stays.map(({ groupId }) => groupId)),
    plain(stays.map(({ userId }) => userId)),
    plain(stays.map(({ role }) => role)),
    plain(stays.map(({ isActive }) => isActive)),
    plain(stays.map(({ joinedAt }) => joinedAt)),
    plain(stays.map(({ roster }) => roster)),
  ],
});

/** Counting is cheap: a group is as large as a team, and its members change rarely. */
const settle = (groups: GroupChange[]): Statement => ({
  name: 'settle',
  text: `
    update groups g
    set roster = b.roster, status = case when b.is_closed then 'closed' else g.status end,
      member_count = (select count(*) from members m where m.group_id = g.group_id and m.is_active)
    from unnest($1::uuid[], $2::bigint[], $3::boolean[]) b (group_id, roster, is_closed)
    where g.group_id = b.group_id and g.roster < b.roster`,
  values: [
    plain(groups.map(({ groupId }) => groupId)),
    plain(groups.map(({ roster }) => roster)),
    plain(groups.map(({ isClosed }) => isClosed)),
  ],
});

/** Who came and who went in a batch: departures of those who were in before it, stays of those who came in. */
function movements(events: Movement[]) {
  const departures = new Map<string, Departure>();
  const stays = new Map<string, Stay>();
  for (const event of events) {
    const { groupId } = event.data;
    const userId = event.type === 'ChatGroupCreated' ? event.data.adminId : event.data.userId;
    const key = `${groupId}/${userId}`;
    const stay = stays.get(key);
    const at = { groupId, userId, roster: event.revision + 1 };
    if (event.type === 'MemberLeft' || event.type === 'MemberRemoved') {
      if (stay) stays.set(key, { ...stay, ...at, isActive: false });
      else departures.set(key, at);
    } else {
      const role = event.type === 'ChatGroupCreated' ? 'admin' : event.data.role;
      if (stay && !stay.isActive) departures.set(key, { groupId, userId, roster: stay.roster });
      const joinedAt = stay?.isActive ? stay.joinedAt : event.occurredAt;
      stays.set(key, { ...at, role, joinedAt, isActive: true });
    }
  }
  return { departures: [...departures.values()], stays: [...stays.values()] };
}

/** The groups and who is in them. Whoever went stays as a row that is not active. */
export const chatGroups = defineProjection({
  name: 'chat_groups',
  version: 2,
  tables: `
    create table groups (
      group_id uuid primary key,
      job_id uuid,
      name text not null,
      -- Who made it.
      owner_id uuid not null,
      status text not null,
      roster bigint not null,
      member_count int not null,
      created_at timestamptz not null,
      position bigint not null
    ) with (fillfactor = 80);
    create table members (
      group_id uuid,
      user_id uuid,
      -- Of the group.
      owner_id uuid,
      role text not null,
      is_active boolean not null,
      joined_at timestamptz not null,
      -- The group's version that the row is as of.
      roster bigint not null,
      primary key (group_id, user_id)
    )`,
  indexes: `
    create index groups_of_owner on groups (owner_id);
    create index groups_of_member on members (user_id, owner_id) include (group_id) where is_active`,
  handles: typesOf(chatGroupEvents),
  project: (events) => {
    const groups = new Map<string, GroupChange>();
    for (const { type, revision, data } of events) {
      const isClosed = type === 'GroupClosed' || (groups.get(data.groupId)?.isClosed ?? false);
      groups.set(data.groupId, { groupId: data.groupId, roster: revision + 1, isClosed });
    }
    const created = events.filter((event) => event.type === 'ChatGroupCreated');
    const { departures, stays } = movements(events.filter((event) => event.type !== 'GroupClosed'));
    return [
      ...(created.length > 0 ? [create(created)] : []),
      ...(departures.length > 0 ? [leave(departures)] : []),
      ...(stays.length > 0 ? [join(stays)] : []),
      ...(groups.size > 0 ? [settle([...groups.values()])] : []),
    ];
  },
});
