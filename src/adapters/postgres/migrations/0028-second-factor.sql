-- The second factor of an account: the secret of an authenticator app, and codes for the day it is lost.

create table second_factors (
  user_id uuid primary key references credentials on delete cascade,
  -- Encrypted with AES-256-GCM: the nonce, the tag, the secret in base32.
  secret bytea not null,
  begun_at timestamptz not null default now(),
  -- Null until the first code has confirmed it. Until then no login asks for it.
  activated_at timestamptz,
  -- The latest time step whose code was used: neither it nor an earlier one is accepted again.
  last_step bigint
);

-- Those that are left, as HMAC-SHA-256.
create table recovery_codes (
  user_id uuid not null references second_factors on delete cascade,
  code_hash bytea not null,
  primary key (user_id, code_hash)
);

-- Takes the secret that waits into use and ends every session of the account but `kept`. Returns the sessions that ended;
-- null when another secret waits, or none.
create function activate_second_factor(who uuid, sealed bytea, step bigint, codes bytea[], kept uuid) returns uuid[]
language plpgsql as $$
declare
  ended uuid[];
begin
  -- The account's row is the lock, as for a new password.
  perform from credentials c where c.user_id = who for no key update;
  update second_factors f set activated_at = clock_timestamp(), last_step = step
    where f.user_id = who and f.secret = sealed and f.activated_at is null;
  if not found then
    return null;
  end if;
  insert into recovery_codes (user_id, code_hash) select who, code from unnest(codes) code;
  -- A login that began without the second factor opens no session.
  update credentials c set password_version = c.password_version + 1 where c.user_id = who;
  select coalesce(array_agg(s.session_id), '{}') into ended from sessions s
    where s.user_id = who and s.revoked_at is null and s.session_id is distinct from kept;
  perform revoke_session(s) from unnest(ended) s;
  return ended;
end
$$;
