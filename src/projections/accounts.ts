import { accountEvents } from '../events/account.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { lists, plain, quoted } from './columns.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Registered = Recorded<EventOf<'AccountRegistered'>>;
type Changed = Recorded<EventOf<'ProfileChanged'>>;
type Preferred = Recorded<EventOf<'NotificationPreferencesSet'>>;

const register = (events: Registered[]): Statement => ({
  name: 'register',
  text: `
    insert into accounts (user_id, role, display_name, registered_at, revision)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
    on conflict do nothing`,
  values: [
    plain(events.map(({ data }) => data.userId)),
    plain(events.map(({ data }) => data.role)),
    quoted(events.map(({ data }) => data.displayName)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ revision }) => revision)),
  ],
});

const change = (events: Changed[]): Statement => ({
  name: 'change',
  text: `
    update accounts a set display_name = b.display_name, revision = b.revision
    from unnest($1::uuid[], $2::text[], $3::bigint[]) b (user_id, display_name, revision)
    where a.user_id = b.user_id and a.revision < b.revision`,
  values: [
    plain(events.map(({ data }) => data.userId)),
    quoted(events.map(({ data }) => data.displayName)),
    plain(events.map(({ revision }) => revision)),
  ],
});

const prefer = (events: Preferred[]): Statement => ({
  name: 'prefer',
  text: `
    update accounts a
    set email = b.email, push = b.push, muted = b.muted::uuid[], quiet_hours = b.quiet_hours,
      digest_minutes = b.digest_minutes, preferences_revision = b.revision
    from unnest($1::uuid[], $2::boolean[], $3::boolean[], $4::text[], $5::jsonb[], $6::int[], $7::bigint[])
      b (user_id, email, push, muted, quiet_hours, digest_minutes, revision)
    where a.user_id = b.user_id and a.preferences_revision < b.revision`,
  values: [
    plain(events.map(({ data }) => data.userId)),
    plain(events.map(({ data }) => data.preferences.email)),
    plain(events.map(({ data }) => data.preferences.push)),
    lists(events.map(({ data }) => data.preferences.muted)),
    quoted(
      events.map(
        ({ data: { preferences } }) => preferences.quietHours && JSON.stringify(preferences.quietHours),
      ),
    ),
    plain(events.map(({ data }) => data.preferences.digestMinutes)),
    plain(events.map(({ revision }) => revision)),
  ],
});

/** Who is there, by which name, and how they want to be told of what happens while they are away. */
export const accounts = defineProjection({
  name: 'accounts',
  version: 2,
  tables: `
    create table accounts (
      user_id uuid primary key,
      role text not null,
      display_name text not null,
      registered_at timestamptz not null,
      revision bigint not null,
      email boolean not null default true,
      push boolean not null default true,
      muted uuid[] not null default '{}',
      quiet_hours jsonb,
      digest_minutes int not null default 10,
      -- A change of name must not outrun one of preferences, nor the other way round.
      preferences_revision bigint not null default -1
    )`,
  indexes: '',
  handles: typesOf(accountEvents),
  project: (events) => {
    const registered: Registered[] = [];
    const changed = new Map<string, Changed>();
    const preferred = new Map<string, Preferred>();
    for (const event of events) {
      if (event.type === 'AccountRegistered') registered.push(event);
      else if (event.type === 'ProfileChanged') changed.set(event.data.userId, event);
      else preferred.set(event.data.userId, event);
    }
    return [
      ...(registered.length > 0 ? [register(registered)] : []),
      ...(changed.size > 0 ? [change([...changed.values()])] : []),
      ...(preferred.size > 0 ? [prefer([...preferred.values()])] : []),
    ];
  },
});
