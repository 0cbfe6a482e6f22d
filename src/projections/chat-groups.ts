import { type GroupKind, type GroupRole, type GroupStatus, chatGroupEvents } from '../events/chat-group.ts';
import { companyEvents } from '../events/company.ts';
import type { ChatGroupEvent, CompanyEvent, EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import type { HistoryFrom } from '../events/job.ts';
import { column, statementAbout } from './columns.ts';
import { type Movement, isMovement } from './participants.ts';
import { defineProjection, typesOf } from './projection.ts';
import { admit, found, place, placesOf, recount } from './staff.ts';

type Created = Recorded<EventOf<'ChatGroupCreated'>>;

interface Departure {
  groupId: string;
  userId: string;
  roster: number;
}
/** The state, at the end of a batch, of a member that joined during the batch. */
interface Stay extends Departure {
  role: GroupRole;
  isJoined: boolean;
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

/** Returns the company that posted the group's job; without a job, who made the group. */
export const ownerOf = ({ companyId, adminId }: Created['data']) => companyId ?? adminId;

type Assigned = Recorded<EventOf<'ThreadAssigned'>>;

/** The types of events of a group after which other people of the company may read it. */
const ADMITTING: ReadonlySet<string> = new Set<ChatGroupEvent['type']>([
  'ChatGroupCreated',
  'GroupKindChanged',
  'ThreadAssigned',
]);

const isOfCompany = (event: Recorded<ChatGroupEvent | CompanyEvent>): event is Recorded<CompanyEvent> =>
  Object.hasOwn(companyEvents, event.type);

const create = statementAbout<Created>({
  name: 'create',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    job_id: column.uuid(({ data }) => data.jobId),
    name: column.text(({ data }) => data.name),
    created_at: column.timestamptz(({ occurredAt }) => occurredAt),
    position: column.bigint(({ position }) => position),
    owner_id: column.uuid(({ data }) => ownerOf(data)),
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
    update members m set is_joined = false, roster = b.roster
    from ${batch}
    where m.group_id = b.group_id and m.user_id = b.user_id and m.roster < b.roster`,
});

/** A present member gets another role and keeps the time of joining. */
const join = statementAbout<Stay>({
  name: 'join',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    user_id: column.uuid(({ userId }) => userId),
    given_role: column.word(({ role }) => role),
    is_joined: column.boolean(({ isJoined }) => isJoined),
    joined_at: column.timestamptz(({ joinedAt }) => joinedAt),
    roster: column.bigint(({ roster }) => roster),
  },
  text: ({ names, batch }) => `
    insert into members as m (${names}, role, is_active, owner_id, is_thread)
    select b.*, b.given_role, b.is_joined, g.owner_id, coalesce(g.kind = 'thread', false) from ${batch}
    left join groups g on g.group_id = b.group_id
    on conflict (group_id, user_id) do update
    set given_role = excluded.given_role, is_joined = excluded.is_joined, roster = excluded.roster,
      joined_at = case when m.is_joined then m.joined_at else excluded.joined_at end
    where m.roster < excluded.roster`,
});

const changeKinds = statementAbout<GroupChange>({
  name: 'change-kinds',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    roster: column.bigint(({ roster }) => roster),
    kind: column.word(({ kind }) => kind),
    history_from: column.word(({ historyFrom }) => historyFrom),
  },
  text: ({ batch }) => `
    update groups g set kind = b.kind, history_from = b.history_from
    from ${batch}
    where g.group_id = b.group_id and g.roster < b.roster`,
});

const assign = statementAbout<Assigned>({
  name: 'assign',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    assignee_id: column.uuid(({ data }) => data.assigneeId),
    roster: column.bigint(({ revision }) => revision + 1),
  },
  text: ({ batch }) => `
    update groups g set assignee_id = b.assignee_id
    from ${batch}
    where g.group_id = b.group_id and g.roster < b.roster`,
});

/**
 * Counting is cheap: a group is as large as a team, and its members change rarely. Of a thread, the company's people are
 * not counted unless they were added.
 */
const settle = statementAbout<GroupChange>({
  name: 'settle',
  columns: {
    group_id: column.uuid(({ groupId }) => groupId),
    roster: column.bigint(({ roster }) => roster),
    status: column.word(({ status }) => status),
  },
  text: ({ batch }) => `
    update groups g
    set roster = b.roster, status = coalesce(b.status, g.status),
      member_count = (
        select count(*) from members m
        where m.group_id = g.group_id and m.is_active and (m.is_joined or not m.is_thread)
      )
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
      if (stay) stays.set(key, { ...stay, ...at, isJoined: false });
      else departures.set(key, at);
    } else {
      const role = event.type === 'ChatGroupCreated' ? 'admin' : event.data.role;
      if (stay && !stay.isJoined) departures.set(key, { groupId, userId, roster: stay.roster });
      const joinedAt = stay?.isJoined ? stay.joinedAt : event.occurredAt;
      stays.set(key, { ...at, role, joinedAt, isJoined: true });
    }
  }
  return { departures: [...departures.values()], stays: [...stays.values()] };
}

/**
 * The groups and their members, and the people of companies, who may read the rooms of their companies. A former member
 * keeps a row that is not active.
 */
export const chatGroups = defineProjection({
  name: 'chat_groups',
  version: 4,
  tables: `
    create table groups (
      group_id uuid primary key,
      job_id uuid,
      name text not null,
      -- The company that posted its job; without one, who made it.
      owner_id uuid not null,
      kind text not null default 'job',
      history_from text not null default 'start',
      -- Of a thread.
      application_id uuid,
      applicant_id uuid,
      -- Who of the company sees to it.
      assignee_id uuid,
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
      -- By an event of the group; null where none has let them in.
      given_role text,
      -- That one; of the company's people in its rooms that of their rights.
      role text not null,
      -- By an event of the group.
      is_joined boolean not null,
      -- May read it.
      is_active boolean not null,
      joined_at timestamptz not null,
      -- The group's version that the row is as of; -1 where the company lets them in, and no event of the group does.
      roster bigint not null,
      primary key (group_id, user_id)
    );
    -- The people of companies that have posted jobs, or have several.
    create table staff (
      company_id uuid,
      user_id uuid,
      -- Null for those who were removed.
      role text,
      -- Null for all jobs.
      job_ids uuid[],
      -- Of the company's stream; -1 for its first owner, before anything happened.
      revision bigint not null,
      primary key (company_id, user_id)
    )`,
  indexes: `
    create index groups_of_owner on groups (owner_id);
    create index groups_of_job on groups (job_id) where kind <> 'job';
    create index groups_of_member on members (user_id, owner_id) include (group_id) where is_active;
    create index staff_of_user on staff (user_id);
    create index rooms_of_member on members (user_id) include (group_id) where is_active and not is_thread`,
  handles: [...typesOf(chatGroupEvents), ...typesOf(companyEvents)],
  project: (events) => {
    const ofGroups = events.filter((event): event is Recorded<ChatGroupEvent> => !isOfCompany(event));
    const ofCompanies = events.filter(isOfCompany);
    const groups = new Map<string, GroupChange>();
    const assigned = new Map<string, Assigned>();
    for (const event of ofGroups) {
      const { type, revision, data } = event;
      const { groupId } = data;
      const before = groups.get(groupId) ?? { status: null, kind: null, historyFrom: null };
      const change: GroupChange = { ...before, groupId, roster: revision + 1 };
      if (type === 'GroupClosed') change.status = 'closed';
      else if (type === 'GroupReopened') change.status = 'open';
      else if (type === 'GroupKindChanged') [change.kind, change.historyFrom] = [data.kind, data.historyFrom];
      else if (type === 'ThreadAssigned') assigned.set(groupId, event);
      groups.set(groupId, change);
    }
    const created = ofGroups.filter((event) => event.type === 'ChatGroupCreated');
    const { departures, stays } = movements(ofGroups.filter(isMovement));
    const places = placesOf(ofCompanies);
    const owners = created.filter(({ data }) => data.jobId !== null).map(({ data }) => ownerOf(data));
    const forStaff = ofGroups.filter(({ type }) => ADMITTING.has(type)).map(({ data }) => data.groupId);
    const changes = [...groups.values()];
    return [
      ...create(created),
      ...changeKinds(changes.filter(({ kind }) => kind !== null)),
      ...assign([...assigned.values()]),
      ...leave(departures),
      ...join(stays),
      ...found([...owners, ...ofCompanies.map(({ data }) => data.companyId)]),
      ...place(places),
      ...admit({ moved: [...departures, ...stays], groupIds: [...new Set(forStaff)], places }),
      ...settle(changes),
      ...recount(places),
    ];
  },
});
