-- What lets people in. It is kept beside the log, never in it, because it must be possible to erase it.

create table credentials (
  user_id uuid primary key,
  -- Trimmed and lower-cased: one address, one account.
  email text not null unique check (char_length(email) <= 254),
  password_hash text not null,
  role text not null,
  display_name text not null,
  -- False until the log holds AccountRegistered: a crash in between is made good from this row.
  registered boolean not null default false,
  created_at timestamptz not null default now()
);

create index credentials_unregistered on credentials (created_at) where not registered;

create table sessions (
  session_id uuid primary key,
  user_id uuid not null references credentials on delete cascade,
  created_at timestamptz not null default now(),
  -- When its newest refresh token ends.
  expires_at timestamptz not null,
  revoked_at timestamptz
);

create index sessions_of_user on sessions (user_id);
create index sessions_revoked on sessions (revoked_at) where revoked_at is not null;

-- Every refresh token of a session, by its SHA-256: the one without rotated_at is the one that counts.
create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  rotated_at timestamptz
);

create index refresh_tokens_of_session on refresh_tokens (session_id);

-- Made once: the key that signs access tokens and the secret that refresh tokens derive from.
create table signing_keys (
  name text primary key,
  key text not null,
  created_at timestamptz not null default now()
);

-- Ends a session once; every node hears of it.
create function revoke_session(ended uuid) returns boolean
language plpgsql as $$
begin
  update sessions set revoked_at = clock_timestamp() where session_id = ended and revoked_at is null;
  if not found then
    return false;
  end if;
  perform pg_notify('session_revoked', ended::text);
  return true;
end
$$;

-- Spends a refresh token for its child and says how that went:
--   rotated   the child takes its place
--   repeated  it was spent at most `grace` ago and its child is still unspent: the answer may have been lost
--   reused    it was spent before: somebody has a copy, so the session ends
--   invalid   unknown, expired, or of a session that has ended
create function rotate_refresh_token(presented bytea, child bytea, grace interval, lifetime interval)
returns table (outcome text, session_id uuid, user_id uuid)
language plpgsql as $$
#variable_conflict use_column
declare
  session sessions;
  spent_at timestamptz;
begin
  -- The session's row is the lock: of many who present one token at a time, one rotates and the others repeat.
  select s.* into session from sessions s
    where s.session_id = (select t.session_id from refresh_tokens t where t.token_hash = presented)
    for update;
  if not found or session.revoked_at is not null or session.expires_at <= clock_timestamp() then
    return query select 'invalid', null::uuid, null::uuid;
    return;
  end if;

  select t.rotated_at into spent_at from refresh_tokens t where t.token_hash = presented;
  if spent_at is null then
    update refresh_tokens t set rotated_at = clock_timestamp() where t.token_hash = presented;
    insert into refresh_tokens (token_hash, session_id) values (child, session.session_id);
    update sessions s set expires_at = clock_timestamp() + lifetime where s.session_id = session.session_id;
    delete from refresh_tokens t
      where t.session_id = session.session_id and t.rotated_at < clock_timestamp() - lifetime;
    return query select 'rotated', session.session_id, session.user_id;
  elsif spent_at > clock_timestamp() - grace
    and exists (select from refresh_tokens t where t.token_hash = child and t.rotated_at is null) then
    return query select 'repeated', session.session_id, session.user_id;
  else
    perform revoke_session(session.session_id);
    return query select 'reused', session.session_id, session.user_id;
  end if;
end
$$;
