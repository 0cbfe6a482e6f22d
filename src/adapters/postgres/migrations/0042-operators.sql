-- What operators see and do.

-- The last rebuild of each read model. Whoever rebuilds writes here how far it is; a rebuild that was asked for goes on in
-- the next process that leads the projections when this one dies.
create table read_model_rebuilds (
  name text primary key,
  -- The act that asked for it, and whose it is; null for one that nobody asked the server for.
  act_id uuid,
  requested_by uuid,
  requested_at timestamptz,
  force boolean not null,
  state text not null check (state in ('requested', 'running', 'done', 'failed')),
  -- How often it was begun.
  attempts int not null default 0,
  position bigint,
  head bigint,
  started_at timestamptz,
  finished_at timestamptz,
  error text check (char_length(error) <= 1000)
);

-- Each act that has put back a version: a repetition must not swap the two once more.
create table read_model_rollbacks (
  act_id uuid primary key,
  name text not null,
  rolled_back_at timestamptz not null default clock_timestamp()
);

revoke delete on read_model_rebuilds, read_model_rollbacks from chat_app;
revoke update on read_model_rollbacks from chat_app;

-- Finds accounts by the beginning of their addresses, whatever the collation of the database is, by role and by state.
create index credentials_by_address on credentials (email collate "C", user_id);
create index credentials_of_role on credentials (role, user_id);
create index credentials_suspended on credentials (user_id) where suspended_at is not null;

-- Whether nobody else with the role `admin` can log in. Accounts of erased people have an empty password.
create function is_last_operator(who uuid) returns boolean
language sql stable as $$
  select exists (select from credentials c where c.user_id = who and c.role = 'admin' and c.suspended_at is null)
    and not exists (
      select from credentials c
      where c.role = 'admin' and c.user_id <> who and c.suspended_at is null and c.password_hash <> ''
    );
$$;

-- Suspends an account as suspend_account() does, unless it is that of the last operator: then it returns null. Of two
-- operators who suspend each other at once, one stays.
create function suspend_account_for_operator(who uuid) returns uuid[]
language plpgsql as $$
begin
  -- Alone in its statement: the next one sees what was committed before the lock was granted.
  perform pg_advisory_xact_lock(hashtextextended('operators', 42));
  if is_last_operator(who) then
    return null;
  end if;
  return coalesce(suspend_account(who), '{}');
end
$$;
