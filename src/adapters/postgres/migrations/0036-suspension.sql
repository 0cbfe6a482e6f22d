-- A suspended account keeps its groups and its messages, but cannot log in, and nothing is sent to it.
alter table credentials add column suspended_at timestamptz;

-- Suspends the account and ends its sessions. Returns those that were open; null when it is suspended already.
create function suspend_account(who uuid) returns uuid[]
language plpgsql as $$
declare
  ended uuid[];
begin
  update credentials set suspended_at = clock_timestamp() where user_id = who and suspended_at is null;
  if not found then
    return null;
  end if;
  select coalesce(array_agg(s.session_id), '{}') into ended from sessions s
    where s.user_id = who and s.revoked_at is null;
  perform revoke_session(s) from unnest(ended) s;
  return ended;
end
$$;
