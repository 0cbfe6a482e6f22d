import { type CompanyRight, reachOf, roomRights } from '../commands/company/rights.ts';
import { CompanyRole } from '../events/company.ts';
import type { CompanyEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { plain } from '../kit/array-parameters.ts';
import { column, statementAbout } from './columns.ts';
import type { Statement } from './projection.ts';

/** The place of a person in a company at the end of a batch. */
interface Place {
  companyId: string;
  userId: string;
  /** Null for somebody who was removed. */
  role: CompanyRole | null;
  jobIds: readonly string[] | null;
  revision: number;
}

/** Returns the last place of everybody whom the events are about. */
export function placesOf(events: readonly Recorded<CompanyEvent>[]): Place[] {
  const places = new Map<string, Place>();
  for (const { type, data, revision } of events) {
    if (type !== 'TeammateJoined' && type !== 'TeammateChanged' && type !== 'TeammateRemoved') continue;
    const { companyId, userId } = data;
    const { role, jobIds } = type === 'TeammateRemoved' ? { role: null, jobIds: null } : data;
    places.set(`${companyId}/${userId}`, { companyId, userId, role, jobIds, revision });
  }
  return [...places.values()];
}

/** Stores the first owners of companies, who are that from the beginning. */
export const found = statementAbout<string>({
  name: 'found',
  columns: { company_id: column.uuid((id) => id) },
  text: ({ batch }) => `
    insert into staff (company_id, user_id, role, job_ids, revision)
    select distinct b.company_id, b.company_id, 'owner', null::uuid[], -1 from ${batch}
    on conflict do nothing`,
});

/** Stores the places of people. */
export const place = statementAbout<Place>({
  name: 'place',
  columns: {
    company_id: column.uuid(({ companyId }) => companyId),
    user_id: column.uuid(({ userId }) => userId),
    role: column.word(({ role }) => role),
    job_ids: column.ids(({ jobIds }) => jobIds ?? []),
    has_all_jobs: column.boolean(({ jobIds }) => jobIds === null),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    insert into staff as s (company_id, user_id, role, job_ids, revision)
    select b.company_id, b.user_id, b.role, case when not b.has_all_jobs then b.job_ids::uuid[] end, b.revision
    from ${batch}
    on conflict (company_id, user_id) do update
    set role = excluded.role, job_ids = excluded.job_ids, revision = excluded.revision
    where s.revision < excluded.revision`,
});

/** Returns the SQL condition that a person of `staff s`, added to the group `g` or not, has a right there. */
function hasRight(right: CompanyRight): string {
  const hasJob = '(s.job_ids is null or g.job_id = any (s.job_ids))';
  const conditions = {
    all: 'true',
    jobs: `(${hasJob} or a.is_added)`,
    assigned: `(${hasJob} and g.assignee_id is not distinct from s.user_id or a.is_added)`,
    none: 'false',
  };
  const cases = CompanyRole.options.map((role) => `when '${role}' then ${conditions[reachOf(right, role)]}`);
  return `case s.role ${cases.join(' ')} else false end`;
}

const inRoom = (right: 'read' | 'manage') =>
  `case g.kind when 'team' then ${hasRight(roomRights.team[right])} else ${hasRight(roomRights.thread[right])} end`;

/** The changes of a batch that decide who may read which group. */
export interface Admission {
  /** Whose membership of which group has changed. */
  moved: readonly { groupId: string; userId: string }[];
  /** Groups that are new, or otherwise for the company's people. */
  groupIds: readonly string[];
  places: readonly Place[];
}

const ADMIT = `
  with asked as (
    select group_id, user_id from unnest($1::uuid[], $2::uuid[]) moved (group_id, user_id)
    union
    select g.group_id, s.user_id from groups g join staff s on s.company_id = g.owner_id
    where g.group_id = any ($3::uuid[])
    union
    select m.group_id, m.user_id from members m where m.group_id = any ($3::uuid[])
    union
    select g.group_id, p.user_id from unnest($4::uuid[], $5::uuid[]) p (company_id, user_id)
    join groups g on g.owner_id = p.company_id
  ), judged as (
    select a.group_id, a.user_id, g.owner_id, g.kind = 'thread' as is_thread, g.created_at, is_staff,
      m.roster >= 0 as has_row,
      case when is_staff then ${inRoom('read')}
        else coalesce(m.is_joined, false) and (s.user_id is null or s.role is not null) end as reads,
      case when not is_staff then coalesce(m.given_role, 'member')
        when ${inRoom('manage')} then 'admin' else 'member' end as role
    from asked
    join groups g on g.group_id = asked.group_id
    left join members m on m.group_id = asked.group_id and m.user_id = asked.user_id
    left join staff s on s.company_id = g.owner_id and s.user_id = asked.user_id
    cross join lateral (
      select asked.group_id, asked.user_id, coalesce(m.is_joined, false) and asked.user_id <> g.owner_id as is_added,
        g.kind <> 'job' and asked.user_id is distinct from g.applicant_id as is_staff
    ) a
  ), gone as (
    delete from members m using judged j
    where m.group_id = j.group_id and m.user_id = j.user_id and m.roster < 0 and not j.reads
  )
  insert into members as m (group_id, user_id, owner_id, is_thread, role, is_joined, is_active, joined_at, roster)
  select group_id, user_id, owner_id, is_thread, role, false, reads, created_at, -1 from judged
  where reads or has_row
  on conflict (group_id, user_id) do update
  set is_active = excluded.is_active, role = excluded.role`;

/**
 * Returns the statement that lets people of a company into its rooms, or takes them out, as their places and the rooms
 * are now. Their rows have no roster unless they were added. It runs after everything that it depends on.
 */
export function admit({ moved, groupIds, places }: Admission): Statement[] {
  if (moved.length + groupIds.length + places.length === 0) return [];
  const values = [
    plain(moved.map(({ groupId }) => groupId)),
    plain(moved.map(({ userId }) => userId)),
    plain(groupIds),
    plain(places.map(({ companyId }) => companyId)),
    plain(places.map(({ userId }) => userId)),
  ];
  return [{ name: 'admit', text: ADMIT, values }];
}

/**
 * Counts anew who is in the groups of companies: a change of their people is no change of a group. In a thread only those
 * count who were added.
 */
export const recount = statementAbout<Place>({
  name: 'recount',
  columns: {
    company_id: column.uuid(({ companyId }) => companyId),
    user_id: column.uuid(({ userId }) => userId),
  },
  text: ({ batch }) => `
    with about as materialized (select * from ${batch})
    update groups g
    set member_count = (
      select count(*) from members m
      where m.group_id = g.group_id and m.is_active and (m.is_joined or not m.is_thread)
    )
    where g.owner_id in (select company_id from about) and (g.kind <> 'thread' or exists (
      select from members m
      where m.group_id = g.group_id and m.is_joined and m.user_id in (select user_id from about)
    ))`,
});
