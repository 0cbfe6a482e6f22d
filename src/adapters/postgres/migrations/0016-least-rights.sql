-- The application appends to the log through append_events(), which runs with the owner's rights, and reads it. Nothing
-- else of the log, and nothing of the migrations, is its to change.

alter function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[]
) security definer set search_path = pg_catalog, public, pg_temp;

revoke execute on function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[]
) from public;
grant execute on function append_events(
  text[], bigint[], int[], int[], int[], int[], text[], bigint[],
  int[], int[], text[], uuid[], text[], smallint[], json[], json[], timestamptz[], text[]
) to chat_app;

revoke all on events, log_head, streams, schema_migrations from chat_app;
grant select on events, log_head, streams, schema_migrations to chat_app;

revoke create on schema public from public;
