-- append_events() judges each append and answers it. A writer that is alone with the log, and knows every revision that
-- its batch needs, has judged the batch itself: what is left is to store it, for a quarter less.

-- Stores a batch at the end of the log if that is known_head and none of the ids is in the log. Returns false otherwise,
-- and has stored nothing; append_events() then says why. `revisions` are those of the events in their streams.
create function append_known(
  known_head bigint, streams text[], revisions bigint[], ids uuid[], types text[], versions smallint[], datas json[],
  metadatas json[], occurred timestamptz[]
) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- The same lock as that of append_events(), and alone in its statement for the same reason.
  perform pg_advisory_xact_lock(7233170193);

  if known_head <> (select l.position from log_head l) or exists (select from events e where e.id = any (ids)) then
    return false;
  end if;

  insert into events (position, stream, revision, id, type, v, data, metadata, occurred_at)
  select known_head + e.n, e.stream, e.revision, e.id, e.type, e.v, e.data, e.metadata, e.occurred_at
  from unnest(streams, revisions, ids, types, versions, datas, metadatas, occurred) with ordinality
    e (stream, revision, id, type, v, data, metadata, occurred_at, n);

  perform pg_notify('event_log', (known_head + cardinality(streams))::text);
  return true;
end
$$;

revoke execute on function append_known(
  bigint, text[], bigint[], uuid[], text[], smallint[], json[], json[], timestamptz[]
) from public;
grant execute on function append_known(
  bigint, text[], bigint[], uuid[], text[], smallint[], json[], json[], timestamptz[]
) to chat_app;
