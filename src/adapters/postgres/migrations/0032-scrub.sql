-- What is deleted stays in the files of its table, in the statistics of the planner and in the write-ahead log, until
-- PostgreSQL uses the room for something else. After an erasure, tables that had something about the person are written
-- anew.

-- How many times that was asked for, and how many of these are answered. One writing answers all before it.
create table scrubs (
  only_row boolean primary key default true check (only_row),
  asked bigint not null default 0,
  done bigint not null default 0
);
insert into scrubs default values;
revoke insert, delete on scrubs from chat_app;

-- The one that leaves nothing of the person in any file.
alter table erasures add column scrub bigint;

-- What was said in a group in a month, erased when its retention was over.
create table erased_months (
  group_id uuid,
  -- YYYY-MM, in UTC.
  month text collate "C",
  cleared_at timestamptz not null default now(),
  -- When it was cleared once more, as for erasures.
  swept_at timestamptz,
  scrub bigint not null,
  primary key (group_id, month)
);
create index erased_months_to_sweep on erased_months (cleared_at) where swept_at is null;

-- Returns the number of the scrub that is now asked for.
create function ask_for_scrub() returns bigint language sql as $$
  update scrubs set asked = asked + 1 returning asked
$$;

-- Returns true while a snapshot from before that transaction is in use: a rewrite would copy the rows that were deleted
-- since. The owner sees the snapshots of its own roles; a superuser sees all of them.
create function is_seen_from_before(moment xid8) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'
      and (datname = current_database() or datname is null) and age(backend_xmin) > age(moment::xid)
  )
$$;

-- Writes a table beside the log anew, with its indexes and statistics. It is locked meanwhile, so a table of more than
-- `most` bytes is left, and false is returned. The log has nothing to scrub: its text is sealed.
create function scrub_table(relation text, most bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  if relation not in (
    'account_letters', 'credentials', 'idempotency_keys', 'notification_batches', 'push_subscriptions',
    'second_factors', 'sessions', 'text_keys'
  ) then
    raise exception 'not a table to scrub: %', relation;
  end if;
  if pg_table_size(format('public.%I', relation)::regclass) > most then
    return false;
  end if;
  execute format('cluster public.%I using %I', relation, relation || '_pkey');
  execute format('analyze public.%I', relation);
  return true;
end
$$;

-- Writes the planner's statistics anew, which have samples of texts. Returns false where the owner may not.
create function scrub_statistics() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    return false;
  end if;
  cluster pg_statistic using pg_statistic_relid_att_inh_index;
  return true;
end
$$;

-- Begins a new file of the write-ahead log, and lets go of those before it. Call it on its own: files of tables that were
-- replaced go with the first checkpoint after the end of that transaction. Returns false where the owner may not.
create function leave_old_wal() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    return false;
  end if;
  perform pg_switch_wal();
  checkpoint;
  return true;
end
$$;

revoke execute on function is_seen_from_before(xid8), scrub_table(text, bigint), scrub_statistics(), leave_old_wal()
  from public;
grant execute on function is_seen_from_before(xid8), scrub_table(text, bigint), scrub_statistics(), leave_old_wal()
  to chat_app;
