-- A row that every process writes now and then, to know whether commands can be stored.
create table write_probe (
  only_row boolean primary key default true check (only_row),
  written_at timestamptz not null
) with (fillfactor = 10);
insert into write_probe (written_at) values (clock_timestamp());
revoke insert, delete, truncate on write_probe from chat_app;

-- Fails when a command could not be stored. A full disk still takes what fits into the pages of a table, so this takes
-- new ones, 128 KiB of them, and gives them back.
create function prove_writing() returns void language plpgsql
security definer set search_path = pg_catalog, public, pg_temp set temp_tablespaces = '' as $$
begin
  update public.write_probe set written_at = clock_timestamp();
  create temporary table new_pages (filler text) on commit drop;
  insert into pg_temp.new_pages select repeat('x', 1900) from generate_series(1, 64);
end
$$;
revoke execute on function prove_writing() from public;
grant execute on function prove_writing() to chat_app;

-- A batch that was put off on purpose, for quiet hours, has not waited since it was gathered.
alter table notification_batches add column put_off_until timestamptz;
create index notification_batches_unfinished on notification_batches (gathered_at)
  where done_at is null and parked_at is null;
