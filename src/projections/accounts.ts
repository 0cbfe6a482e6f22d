import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { ERASED } from '../events/personal-text.ts';
import { beginningOf } from '../search/characters.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection } from './projection.ts';

type Registered = Recorded<EventOf<'AccountRegistered'>>;
type Changed = Recorded<EventOf<'ProfileChanged'>>;
type Preferred = Recorded<EventOf<'NotificationPreferencesSet'>>;
type Erased = Recorded<EventOf<'AccountErased'>>;
type Renamed = Recorded<EventOf<'CompanyRenamed'>>;
type Asked = Recorded<EventOf<'ErasureRequested' | 'ErasureWithdrawn'>>;

const register = statementAbout<Registered>({
  name: 'register',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    role: column.word(({ data }) => data.role),
    display_name: column.text(({ data }) => data.displayName),
    registered_at: column.timestamptz(({ occurredAt }) => occurredAt),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ names, batch }) => `
    insert into accounts (${names})
    select * from ${batch}
    on conflict do nothing`,
});

const change = statementAbout<Changed>({
  name: 'change',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    display_name: column.text(({ data }) => data.displayName),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update accounts a set display_name = b.display_name, revision = b.revision
    from ${batch}
    where a.user_id = b.user_id and a.revision < b.revision`,
});

/** For the account as it is now: a name that has been replaced or erased does not come back. */
const name = statementAbout<Registered | Changed>({
  name: 'name',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    beginning: column.text(({ data }) => beginningOf(data.displayName)),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    insert into names (user_id, beginning)
    select b.user_id, b.beginning from ${batch} join accounts a using (user_id)
    where a.revision = b.revision
    on conflict (user_id) do update set beginning = excluded.beginning`,
});

const prefer = statementAbout<Preferred>({
  name: 'prefer',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    email: column.boolean(({ data }) => data.preferences.email),
    push: column.boolean(({ data }) => data.preferences.push),
    muted: column.ids(({ data }) => data.preferences.muted),
    quiet_hours: column.jsonb(
      ({ data: { preferences } }) => preferences.quietHours && JSON.stringify(preferences.quietHours),
    ),
    digest_minutes: column.int(({ data }) => data.preferences.digestMinutes),
    team: column.word(({ data }) => data.preferences.team ?? null),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update accounts a
    set email = b.email, push = b.push, muted = b.muted::uuid[], quiet_hours = b.quiet_hours,
      digest_minutes = b.digest_minutes, team = b.team, preferences_revision = b.revision
    from ${batch}
    where a.user_id = b.user_id and a.preferences_revision < b.revision`,
});

/** A company has the id of its founder. */
const rename = statementAbout<Renamed>({
  name: 'rename',
  columns: {
    user_id: column.uuid(({ data }) => data.companyId),
    company_name: column.text(({ data }) => data.name),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update accounts a set company_name = b.company_name, company_revision = b.revision
    from ${batch}
    where a.user_id = b.user_id and a.company_revision < b.revision`,
});

const ask = statementAbout<Asked>({
  name: 'ask',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    erasure_id: column.uuid(({ type, data }) => (type === 'ErasureRequested' ? data.erasureId : null)),
    due_at: column.timestamptz(({ type, data }) => (type === 'ErasureRequested' ? data.dueAt : null)),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update accounts a set erasure_id = b.erasure_id, erasure_due_at = b.due_at, erasure_revision = b.revision
    from ${batch}
    where a.user_id = b.user_id and a.erasure_revision < b.revision`,
});

const erase = statementAbout<Erased>({
  name: 'erase',
  columns: {
    user_id: column.uuid(({ data }) => data.userId),
    erased_at: column.timestamptz(({ occurredAt }) => occurredAt),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update accounts a
    set display_name = '${ERASED}', email = false, push = false, muted = '{}', quiet_hours = null,
      digest_minutes = default, team = null, erased_at = b.erased_at, revision = b.revision, preferences_revision = b.revision
    from ${batch}
    where a.user_id = b.user_id`,
});

const forget = statementAbout<Erased>({
  name: 'forget',
  columns: { user_id: column.uuid(({ data }) => data.userId) },
  text: ({ batch }) => `delete from names n using ${batch} where n.user_id = b.user_id`,
});

/** The users, their names and those of the companies that they founded, and their notification preferences. */
export const accounts = defineProjection({
  name: 'accounts',
  version: 6,
  tables: `
    create table accounts (
      user_id uuid primary key,
      role text not null,
      display_name text not null,
      -- Of the company that the user founded; null until it is renamed.
      company_name text,
      company_revision bigint not null default -1,
      registered_at timestamptz not null,
      revision bigint not null,
      email boolean not null default true,
      push boolean not null default true,
      muted uuid[] not null default '{}',
      quiet_hours jsonb,
      digest_minutes int not null default 10,
      -- What one of a company's people is told of; null where the role has it.
      team text,
      -- A change of name must not outrun one of preferences, nor the other way round.
      preferences_revision bigint not null default -1,
      erasure_id uuid,
      erasure_due_at timestamptz,
      erasure_revision bigint not null default -1,
      erased_at timestamptz
    );
    -- What operators find people by. Nothing is left of those who are erased.
    create table names (
      user_id uuid primary key,
      beginning text collate "C" not null
    )`,
  indexes: `
    create index accounts_to_erase on accounts (erasure_due_at) where erasure_due_at is not null and erased_at is null;
    create index names_in_order on names (beginning, user_id);
    create index accounts_by_erasure on accounts (erasure_id) where erasure_id is not null`,
  handles: [
    'AccountRegistered',
    'ProfileChanged',
    'NotificationPreferencesSet',
    'ErasureRequested',
    'ErasureWithdrawn',
    'AccountErased',
    'CompanyRenamed',
  ],
  project: (events) => {
    const registered: Registered[] = [];
    const changed = new Map<string, Changed>();
    const preferred = new Map<string, Preferred>();
    const asked = new Map<string, Asked>();
    const erased: Erased[] = [];
    const renamed = new Map<string, Renamed>();
    for (const event of events) {
      if (event.type === 'AccountRegistered') registered.push(event);
      else if (event.type === 'ProfileChanged') changed.set(event.data.userId, event);
      else if (event.type === 'NotificationPreferencesSet') preferred.set(event.data.userId, event);
      else if (event.type === 'AccountErased') erased.push(event);
      else if (event.type === 'CompanyRenamed') renamed.set(event.data.companyId, event);
      else asked.set(event.data.userId, event);
    }
    return [
      ...register(registered),
      ...change([...changed.values()]),
      ...name([...registered.filter(({ data }) => !changed.has(data.userId)), ...changed.values()]),
      ...prefer([...preferred.values()]),
      ...rename([...renamed.values()]),
      ...ask([...asked.values()]),
      ...erase(erased),
      ...forget(erased),
    ];
  },
});
