-- A writer that is alone with the log knows the revisions of the streams that it uses: nothing was appended since it read
-- them. The head proves that. Looking them up again was a third of what an append costs.

drop function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[]
);

-- Appends a batch and answers one row per append, in order.
--   appended   first_position and first_revision of its events
--   duplicate  one of its ids is in the log already
--   conflict   conflict_stream stands at first_revision (-1: it has no events), not where the append needs it
-- In every row first_position is one more than the head before the batch and the events that the batch puts before it.
-- Appends are numbered from 1: `counts` has the number of their events, `before` and `stream_before` how many events the
-- batch has ahead of them, in all and for their stream. An `expected` of null takes the stream at any revision. guard_of
-- and event_of, ascending, say whose guard or event it is; event_nth counts an append's events from 0. Each append is
-- judged by the log as it is before the batch, so the caller must not put an append behind one that it depends on.
-- A guard with a user in guard_about is broken by events that name this user or none, and when the stream is more than
-- 100 events ahead of it; any other guard by every event.
-- `known` and `guard_known` are the revisions of `streams` and guard_streams as the caller knows them, null where it does
-- not, when the log ended at known_head. They count only if it still ends there. Each revision of a guard that was looked
-- up for such a caller is told in a row after those of the appends:
--   guard      conflict_stream stands at first_revision before the batch
-- Older callers leave out what has a default.
create function append_events(
  streams text[], expected bigint[], counts int[], before int[], stream_before int[],
  guard_of int[], guard_streams text[], guard_revisions bigint[],
  event_of int[], event_nth int[], event_streams text[], ids uuid[], types text[], versions smallint[], datas json[],
  metadatas json[], occurred timestamptz[], guard_about text[] default '{}',
  known_head bigint default null, known bigint[] default '{}', guard_known bigint[] default '{}'
) returns table (outcome text, first_position bigint, first_revision bigint, conflict_stream text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
  head bigint;
  is_known boolean;
  actual bigint[];
  guard_actual bigint[] := '{}';
  duplicate int[];
  misplaced int[] := '{}';
  unguarded int[];
  unguarded_streams text[];
  unguarded_actual bigint[];
  refused int[];
  appended bigint;
begin
  -- One batch at a time. Alone in its statement: every later one sees all that was committed before the lock was granted.
  perform pg_advisory_xact_lock(7233170193);

  head := (select l.position from log_head l);
  duplicate := array(select event_of[array_position(ids, e.id)] from events e where e.id = any (ids));
  is_known := known_head is not distinct from head;
  if is_known and array_position(known, null) is null then
    actual := known;
  else
    -- Written out twice: a function of its own is not inlined, and costs a tenth of the append.
    actual := array(
      select coalesce(
        case when is_known then a.known end,
        (select e.revision from events e where e.stream = a.stream order by e.revision desc limit 1),
        -1
      )
      from unnest(streams, known) with ordinality a (stream, known, n) order by a.n
    );
  end if;
  if array_remove(expected, null) <> '{}' then
    misplaced := array(
      select a.n from unnest(expected, actual) with ordinality a (expected, actual, n) where a.expected <> a.actual
    );
  end if;
  if is_known and array_position(guard_known, null) is null then
    guard_actual := guard_known;
  else
    guard_actual := array(
      select coalesce(
        case when is_known then g.known end,
        (select e.revision from events e where e.stream = g.stream order by e.revision desc limit 1),
        -1
      )
      from unnest(guard_streams, guard_known) with ordinality g (stream, known, n) order by g.n
    );
  end if;
  if guard_actual <> guard_revisions then
    select array_agg(g.of), array_agg(g.stream), array_agg(g.actual)
    into unguarded, unguarded_streams, unguarded_actual
    from unnest(guard_of, guard_streams, guard_revisions, guard_about, guard_actual)
      g (of, stream, revision, about, actual)
    where g.actual <> g.revision and (
      g.about is null
      or g.actual not between g.revision and g.revision + 100
      or exists (
        select from events e
        where e.stream = g.stream and e.revision > g.revision and coalesce(e.data ->> 'userId', g.about) = g.about
      )
    );
  end if;
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

  if is_known then
    return query
    select 'guard', null::bigint, g.actual, g.stream
    from unnest(guard_streams, guard_known, guard_actual) g (stream, known, actual) where g.known is null;
  end if;
end
$$;

revoke execute on function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[], bigint, bigint[], bigint[]
) from public;
grant execute on function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[], bigint, bigint[], bigint[]
) to chat_app;
