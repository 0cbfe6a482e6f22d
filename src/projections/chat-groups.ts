import { type GroupKind, type GroupRole, type GroupStatus, chatGroupEvents } from '../events/chat-group.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import type { HistoryFrom } from '../events/job.ts';
import { column, statementAbout } from './columns.ts';
import { type Movement, isMovement } from './participants.ts';
import { defineProjection, typesOf } from './projection.ts';

type Created = Recorded<EventOf<'ChatGroupCreated'>>;

interface Departure {
  groupId: string;
  userId: string;
  roster: number;
}
/** The state, at the end of a batch, of a member that joined during the batch. */
interface Stay extends Departure {
  role: GroupRole;
  isActive: boolean;
  joinedAt: string;
}
/** The changes of a batch to one group as a whole. */
interface GroupChange {
  groupId: string;
  roster: number;
  /** Null where they stay. */
  status: GroupStatus | null;
  kind: GroupKind | null;
  historyFrom: HistoryFrom | null;
}

const create = statementAbout<Created>({
  name: 'create',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    job_id: column.uuid(({ data }) => data.jobId),
    name: column.text(({ data }) => data.name),
    created_at: column.timestamptz(({ occurredAt }) => occurredAt),
    position: column.bigint(({ position }) => position),
    owner_id: column.uuid(({ data }) => data.adminId),
    kind: column.word(({ data }) => data.kind ?? 'job'),
    history_from: column.word(({ data }) => data.historyFrom ?? 'start'),
    application_id: column.uuid(({ data }) => data.applicationId ?? null),
    applicant_id: column.uuid(({ data }) => data.applicantId ?? null),
  },
  text: ({ names, batch }) => `
    insert into groups (${names}, status, roster, member_count)
    select b.*, 'open', 0, 0 from ${batch}
    on conflict do nothing`,
});

const leave = statementAbout<Departure>({
  name: 'leave',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    user_id: column.uuid(({ userId }) => userId),
    roster: column.bigint(({ roster }) => roster),
  },
  text: ({ batch }) => `
    update members m set is_active = false, roster = b.roster
    from ${batch}
    where m.group_id = b.group_id and m.user_id = b.user_id and m.roster < b.roster`,
});

/** A present member gets another role and keeps the time of joining. */
const join = statementAbout<Stay>({
  name: 'join',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    user_id: column.uuid(({ userId }) => userId),
    role: column.word(({ role }) => role),
    is_active: column.boolean(({ isActive }) => isActive),
    joined_at: column.timestamptz(({ joinedAt }) => joinedAt),
    roster: column.bigint(({ roster }) => roster),
  },
  text: ({ names, batch }) => `
    insert into members as m (${names}, owner_id, is_thread)
    select b.*, g.owner_id, coalesce(g.kind = 'thread', false) from ${batch}
    left join groups g on g.group_id = b.group_id
    on conflict (group_id, user_id) do update
    set role = excluded.role, is_active = excluded.is_active, roster = excluded.roster,
      joined_at = case when m.is_active then m.joined_at else excluded.joined_at end
    where m.roster < excluded.roster`,
});

/** Counting is cheap: a group is as large as a team, and its members change rarely. */
const settle = statementAbout<GroupChange>({
  name: 'settle',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    roster: column.bigint(({ roster }) => roster),
    status: column.word(({ status }) => status),
    kind: column.word(({ kind }) => kind),
    history_from: column.word(({ historyFrom }) => historyFrom),
  },
  text: ({ batch }) => `
    update groups g
    set roster = b.roster, status = coalesce(b.status, g.status), kind = coalesce(b.kind, g.kind),
      history_from = coalesce(b.history_from, g.history_from),
      member_count = (select count(*) from members m where m.group_id = g.group_id and m.is_active)
    from ${batch}
    where g.group_id = b.group_id and g.roster < b.roster`,
});

/**
 * Returns the changes of membership in a batch: departures of members from before it, and stays of members
 * that joined during it.
 */
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

/** The groups and their members. A former member keeps a row that is not active. */
export const chatGroups = defineProjection({
  name: 'chat_groups',
  version: 3,
  tables: `
    create table groups (
      group_id uuid primary key,
      job_id uuid,
      name text not null,
      -- Who made it.
      owner_id uuid not null,
      kind text not null default 'job',
      history_from text not null default 'start',
      -- Of a thread.
      application_id uuid,
      applicant_id uuid,
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
      is_thread boolean not null default false,
      role text not null,
      is_active boolean not null,
      joined_at timestamptz not null,
      -- The group's version that the row is as of.
      roster bigint not null,
      primary key (group_id, user_id)
    )`,
  indexes: `
    create index groups_of_owner on groups (owner_id);
    create index groups_of_job on groups (job_id) where kind <> 'job';
    create index groups_of_member on members (user_id, owner_id) include (group_id) where is_active;
    create index rooms_of_member on members (user_id) include (group_id) where is_active and not is_thread`,
  handles: typesOf(chatGroupEvents),
  project: (events) => {
    const groups = new Map<string, GroupChange>();
    for (const { type, revision, data } of events) {
      const { groupId } = data;
      const before = groups.get(groupId) ?? { status: null, kind: null, historyFrom: null };
      const change: GroupChange = { ...before, groupId, roster: revision + 1 };
      if (type === 'GroupClosed') change.status = 'closed';
      else if (type === 'GroupReopened') change.status = 'open';
      else if (type === 'GroupKindChanged') [change.kind, change.historyFrom] = [data.kind, data.historyFrom];
      groups.set(groupId, change);
    }
    const created = events.filter((event) => event.type === 'ChatGroupCreated');
    const { departures, stays } = movements(events.filter(isMovement));
    return [...create(created), ...leave(departures), ...join(stays), ...settle([...groups.values()])];
  },
});
