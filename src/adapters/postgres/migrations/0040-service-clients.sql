-- Programs of a board that act for its people: clients, what they prove themselves with, and whose accounts are theirs.
-- Kept beside the log, like what lets people in.

create table clients (
  client_id uuid primary key,
  name text not null,
  scopes text[] not null,
  -- JWKs: any of these keys signs assertions of the client.
  public_keys jsonb not null default '[]',
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);

-- One or two that are accepted, by their SHA-256.
create table client_secrets (
  secret_hash bytea primary key,
  client_id uuid not null references clients,
  created_at timestamptz not null default clock_timestamp(),
  -- To the minute.
  last_used_at timestamptz
);

create index client_secrets_of_client on client_secrets (client_id);

-- The tokens of a client end with its session. It has one open session at a time, and none while it is disabled.
create table client_sessions (
  session_id uuid primary key,
  client_id uuid not null references clients,
  revoked_at timestamptz
);

create unique index client_sessions_open on client_sessions (client_id) where revoked_at is null;
create index client_sessions_revoked on client_sessions (revoked_at) where revoked_at is not null;

-- Assertions that were used, by the SHA-256 of their `jti`, until they have expired.
create table client_assertions (
  client_id uuid not null references clients,
  jti_hash bytea not null,
  expires_at timestamptz not null,
  primary key (client_id, jti_hash)
);

create index client_assertions_expired on client_assertions (expires_at);

-- The board's own name of an account that its client made.
create table client_users (
  client_id uuid not null references clients,
  external_id text not null check (char_length(external_id) <= 255),
  user_id uuid not null unique references credentials on delete cascade,
  constraint client_users_pkey primary key (client_id, external_id)
);

-- Such an account has no password, and perhaps no address.
alter table credentials
  alter column email drop not null,
  alter column password_hash drop not null,
  -- The client that has suspended the account; null where an operator has. Means nothing for one that is not suspended.
  add column deactivated_by uuid references clients;

-- The client that opened the session.
alter table sessions add column client_id uuid references clients;
create index sessions_of_client on sessions (client_id) where client_id is not null and revoked_at is null;

-- Suspends the account and ends its sessions. Returns those that were open; null when an operator has suspended it already.
create or replace function suspend_account(who uuid) returns uuid[]
language plpgsql as $$
begin
  update credentials set suspended_at = coalesce(suspended_at, clock_timestamp()), deactivated_by = null
    where user_id = who and (suspended_at is null or deactivated_by is not null);
  if not found then
    return null;
  end if;
  return end_sessions_of(who);
end
$$;

-- Suspends an account for its client, and ends its sessions. Returns those that were open.
create function deactivate_account(who uuid, by_client uuid) returns uuid[]
language plpgsql as $$
begin
  update credentials set suspended_at = clock_timestamp(), deactivated_by = by_client
    where user_id = who and suspended_at is null;
  return end_sessions_of(who);
end
$$;

create function end_sessions_of(who uuid) returns uuid[]
language plpgsql as $$
declare
  ended uuid[];
begin
  select coalesce(array_agg(s.session_id), '{}') into ended from sessions s
    where s.user_id = who and s.revoked_at is null;
  perform revoke_session(s) from unnest(ended) s;
  return ended;
end
$$;

-- Adds a secret beside the present one. Returns false when there are two already, or no such client.
create function add_client_secret(which uuid, new_hash bytea) returns boolean
language plpgsql as $$
begin
  perform from clients where client_id = which for update;
  if not found or (select count(*) from client_secrets where client_id = which) >= 2 then
    return false;
  end if;
  insert into client_secrets (secret_hash, client_id) values (new_hash, which);
  return true;
end
$$;

-- Disables a client: its tokens end, and those that it got for its users. Returns false when it is disabled already.
create function disable_client(which uuid) returns boolean
language plpgsql as $$
declare
  ended uuid;
begin
  update clients set disabled_at = clock_timestamp() where client_id = which and disabled_at is null;
  if not found then
    return false;
  end if;
  update client_sessions set revoked_at = clock_timestamp() where client_id = which and revoked_at is null
    returning session_id into ended;
  perform pg_notify('session_revoked', ended::text);
  perform revoke_session(session_id) from sessions where client_id = which and revoked_at is null;
  return true;
end
$$;

-- Gives an account another password, as before; an account without one gets none.
create or replace function set_password(who uuid, new_hash text, version int, kept uuid) returns uuid[]
language plpgsql as $$
declare
  account credentials;
  ended uuid[];
begin
  update credentials c set password_hash = new_hash, password_version = c.password_version + 1
    where c.user_id = who and c.password_version = coalesce(version, c.password_version)
      and c.password_hash is not null
    returning c.* into account;
  if not found then
    return null;
  end if;
  update account_letters l set spent_at = clock_timestamp()
    where l.address = account.email and l.kind = 'password-reset' and l.spent_at is null;
  select coalesce(array_agg(s.session_id), '{}') into ended from sessions s
    where s.user_id = who and s.revoked_at is null and s.session_id is distinct from kept;
  perform revoke_session(s) from unnest(ended) s;
  return ended;
end
$$;

-- Resets a password, as before; an account without one is as unknown as any other address.
create or replace function reset_password(letter uuid, new_hash text, span interval)
returns table (user_id uuid, ended uuid[]) language plpgsql as $$
#variable_conflict use_column
declare
  who uuid;
begin
  -- The account's row is the lock, whichever of its letters is used.
  select c.user_id into who from credentials c join account_letters l on l.address = c.email
    where l.letter_id = letter and l.kind = 'password-reset' and c.email_verified_at is not null
      and c.password_hash is not null
    for update of c;
  if not found then
    return;
  end if;
  perform from account_letters l
    where l.letter_id = letter and l.spent_at is null and l.written_at > clock_timestamp() - span;
  if not found then
    return;
  end if;
  return query select who, set_password(who, new_hash, null, null);
end
$$;

-- Forgets a person, as before, and what the board calls it.
create or replace function forget_person(who uuid) returns void
language plpgsql as $$
begin
  perform revoke_session(session_id) from sessions where user_id = who and revoked_at is null;
  update sessions set user_agent = null where user_id = who and user_agent is not null;
  delete from notification_batches b using account_letters l
    where l.letter_id = b.batch_id and l.address in (
      select unnest(array[c.email, c.new_email]) from credentials c where c.user_id = who
    );
  delete from notification_batches where recipient_id = who;
  delete from notifications where recipient_id = who and batch_id is null;
  delete from notification_pace where recipient_id = who;
  delete from push_subscriptions where user_id = who;
  delete from second_factors where user_id = who;
  delete from idempotency_keys where scope = who::text;
  delete from upload_bytes_of_users where user_id = who;
  delete from client_users where user_id = who;
  update credentials set
    email = 'erased ' || who, new_email = null, email_verified_at = null, password_hash = '',
    password_version = password_version + 1, display_name = '[erased]'
  where user_id = who and password_hash is distinct from '';
end
$$;

-- As before, with the table of the board's names.
create or replace function scrub_table(relation text, most bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  if relation not in (
    'account_letters', 'client_users', 'credentials', 'idempotency_keys', 'notification_batches',
    'push_subscriptions', 'second_factors', 'sessions', 'text_keys'
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
