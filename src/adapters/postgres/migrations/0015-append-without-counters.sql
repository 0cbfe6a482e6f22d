-- The head of the log and the revisions of its streams were counters in rows that every append updated. While any
-- transaction holds a snapshot (a backup, a rebuild), no version of such a row may be removed, and each look-up walks
-- them all. The ends of the indexes of `events` tell the same, and events have no dead versions.

drop function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[]
);
drop table log_head, streams;

create view log_head as
select coalesce((select position from events order by position desc limit 1), 0) as position;

-- Read only by processes of the version before, until the last of them is replaced.
create view streams as
select stream, max(revision) as revision from events group by stream;

-- Appends a batch and answers one row per append, in order.
--   appended   first_position and first_revision of its events
--   duplicate  one of its ids is in the log already
--   conflict   conflict_stream stands at first_revision (-1: it has no events), not where the append needs it
-- Appends are numbered from 1: `counts` has the number of their events, `before` and `stream_before` how many events the
-- batch has ahead of them, in all and for their stream. An `expected` of null takes the stream at any revision. guard_of
-- and event_of, ascending, say whose guard or event it is; event_nth counts an append's events from 0. Each append is
-- judged by the log as it is before the batch, so the caller must not put an append behind one that it depends on.
-- A guard with a user in guard_about is broken by events that name this user or none, and when the stream is more than
-- 100 events ahead of it; any other guard by every event. Older callers leave guard_about out.
create function append_events(
  streams text[], expected bigint[], counts int[], before int[], stream_before int[],
  guard_of int[], guard_streams text[], guard_revisions bigint[],
  event_of int[], event_nth int[], event_streams text[], ids uuid[], types text[], versions smallint[], datas json[],
  metadatas json[], occurred timestamptz[], guard_about text[] default '{}'
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
  -- One batch at a time. Alone in its statement: every later one sees all that was committed before the lock was granted.
  perform pg_advisory_xact_lock(7233170193);

  head := (select l.position from log_head l);
  duplicate := array(select event_of[array_position(ids, e.id)] from events e where e.id = any (ids));
  -- Written out twice: a function of its own is not inlined, and costs a tenth of the append.
  actual := array(
    select coalesce((select e.revision from events e where e.stream = a.stream order by e.revision desc limit 1), -1)
    from unnest(streams) with ordinality a (stream, n) order by a.n
  );
  misplaced := array(
    select a.n from unnest(expected, actual) with ordinality a (expected, actual, n) where a.expected <> a.actual
  );
  select array_agg(g.of), array_agg(g.stream), array_agg(g.actual)
  into unguarded, unguarded_streams, unguarded_actual
  from (
    select g.of, g.stream, g.revision, g.about,
      coalesce((select e.revision from events e where e.stream = g.stream order by e.revision desc limit 1), -1) as actual
    from unnest(guard_of, guard_streams, guard_revisions, guard_about) g (of, stream, revision, about)
  ) g
  where g.actual <> g.revision and (
    g.about is null
    or g.actual not between g.revision and g.revision + 100
    or exists (
      select from events e
      where e.stream = g.stream and e.revision > g.revision and coalesce(e.data ->> 'userId', g.about) = g.about
    )
  );
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
end
$$;
