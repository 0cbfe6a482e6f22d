-- The log: the only truth. Positions are handed out by one counter row, so they are without holes and in commit order:
-- whoever has read up to N and asks for "after N" misses nothing.

do $$
begin
  if not exists (select from pg_roles where rolname = 'chat_app') then
    create role chat_app nologin;
    grant chat_app to current_user;
  elsif not pg_has_role('chat_app', 'member') then
    grant chat_app to current_user;
  end if;
exception
  -- Roles belong to the whole server: a migration of another database made it meanwhile.
  when duplicate_object or unique_violation then grant chat_app to current_user;
end
$$;

grant usage on schema public to chat_app;
alter default privileges in schema public grant select, insert, update, delete on tables to chat_app;
alter default privileges in schema public grant usage, select on sequences to chat_app;

create table events (
  position bigint primary key,
  stream text collate "C" not null,
  revision bigint not null,
  id uuid not null unique,
  type text not null,
  v smallint not null,
  -- json, not jsonb: the text stays as it was written, so a checksum over it stays valid.
  data json not null,
  metadata json not null,
  occurred_at timestamptz not null,
  unique (stream, revision)
);

-- Room on each page keeps the update of a revision there, without a new index entry.
create table streams (
  stream text collate "C" primary key,
  revision bigint not null
) with (fillfactor = 50);

create table log_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null
) with (fillfactor = 10);
insert into log_head (position) values (0);

revoke update, delete, truncate on events from chat_app;
revoke delete on streams, log_head from chat_app;
revoke insert on log_head from chat_app;

create function refuse_to_change_events() returns trigger language plpgsql as $$
begin
  raise exception 'events are never changed: % is refused', tg_op using errcode = '42501';
end
$$;

create trigger events_are_never_changed before update or delete or truncate on events
  for each statement execute function refuse_to_change_events();
alter table events enable always trigger events_are_never_changed;

-- Appends a batch and answers one row per append, in order.
--   appended   first_position and first_revision of its events
--   duplicate  one of its ids is in the log already
--   conflict   conflict_stream stands at first_revision (-1: it has no events), not where the append needs it
-- Appends are numbered from 1: `counts` has the number of their events, `before` and `stream_before` how many events the
-- batch has ahead of them, in all and for their stream. An `expected` of null takes the stream at any revision. guard_of
-- and event_of, ascending, say whose guard or event it is; event_nth counts an append's events from 0. Each append is
-- judged by the log as it is before the batch, so the caller must not put an append behind one that it depends on.
create function append_events(
  streams text[], expected bigint[], counts int[], before int[], stream_before int[],
  guard_of int[], guard_streams text[], guard_revisions bigint[],
  event_of int[], event_nth int[], event_streams text[], ids uuid[], types text[], versions smallint[], datas json[],
  metadatas json[], occurred timestamptz[]
) returns table (outcome text, first_position bigint, first_revision bigint, conflict_stream text)
language plpgsql as $$
#variable_conflict use_column
declare
  head bigint;
  actual bigint[];
  duplicate int[];
  misplaced int[];
  unguarded int[];
  unguarded_streams text[];
  unguarded_actual bigint[];
  refused int[];
  appended bigint;
begin
  -- Alone in its statement: every later one sees all that was committed before the lock was granted.
  select l.position into head from log_head l for update;

  duplicate := array(select event_of[array_position(ids, e.id)] from events e where e.id = any (ids));
  actual := array(
    select coalesce((select s.revision from streams s where s.stream = a.stream), -1)
    from unnest(streams) with ordinality a (stream, n) order by a.n
  );
  misplaced := array(
    select a.n from unnest(expected, actual) with ordinality a (expected, actual, n) where a.expected <> a.actual
  );
  select array_agg(g.of), array_agg(g.stream), array_agg(g.actual)
  into unguarded, unguarded_streams, unguarded_actual
  from (
    select g.of, g.stream, g.revision, coalesce((select s.revision from streams s where s.stream = g.stream), -1) as actual
    from unnest(guard_of, guard_streams, guard_revisions) g (of, stream, revision)
  ) g
  where g.actual <> g.revision;
  refused := duplicate || misplaced || coalesce(unguarded, '{}');
  appended := cardinality(event_of);

  if refused <> '{}' then
    -- The others close ranks.
    select array_agg(a.before order by a.n), array_agg(a.stream_before order by a.n), sum(a.taken)
    into before, stream_before, appended
    from (
      select
        n,
        taken,
        sum(taken) over (order by n) - taken as before,
        sum(taken) over (partition by stream order by n) - taken as stream_before
      from (
        select n, stream, case when n = any (refused) then 0 else count end as taken
        from unnest(streams, counts) with ordinality a (stream, count, n)
      ) a
    ) a;
  end if;

  if appended > 0 then
    insert into events (position, stream, revision, id, type, v, data, metadata, occurred_at)
    select
      head + 1 + before[e.of] + e.nth, e.stream, actual[e.of] + 1 + stream_before[e.of] + e.nth,
      e.id, e.type, e.v, e.data, e.metadata, e.occurred_at
    from unnest(event_of, event_nth, event_streams, ids, types, versions, datas, metadatas, occurred)
      e (of, nth, stream, id, type, v, data, metadata, occurred_at)
    where e.of <> all (refused);

    insert into streams (stream, revision)
    select a.stream, max(actual[a.n] + stream_before[a.n] + counts[a.n])
    from unnest(streams) with ordinality a (stream, n)
    where a.n <> all (refused)
    group by a.stream
    on conflict (stream) do update set revision = excluded.revision;

    update log_head l set position = head + appended;
    perform pg_notify('event_log', (head + appended)::text);
  end if;

  return query
  select
    case when a.n <> all (refused) then 'appended' when a.n = any (duplicate) then 'duplicate' else 'conflict' end,
    head + 1 + before[a.n],
    case
      when a.n <> all (refused) then actual[a.n] + 1 + stream_before[a.n]
      when a.n = any (misplaced) then actual[a.n]
      else unguarded_actual[array_position(unguarded, a.n::int)]
    end,
    case
      when a.n <> all (refused) then null
      when a.n = any (misplaced) then a.stream
      else unguarded_streams[array_position(unguarded, a.n::int)]
    end
  from unnest(streams) with ordinality a (stream, n) order by a.n;
end
$$;
