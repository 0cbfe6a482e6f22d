-- Addresses that are proved, passwords and addresses that can be changed, and the letters about them.

alter table credentials
  add column email_verified_at timestamptz,
  -- Takes the place of `email` once it is confirmed.
  add column new_email text check (char_length(new_email) <= 254),
  -- A login that began with an older password opens no session.
  add column password_version int not null default 0;

-- Addresses from before count as verified, so that an upgrade does not end the mail of a running board:
-- docs/decisions/0012-only-proved-addresses-get-mail.md.
update credentials set email_verified_at = created_at;

alter table sessions add column user_agent text check (char_length(user_agent) <= 200);

-- A letter about an account is a batch without notifications: relay, queue and worker carry it as any other.
create table account_letters (
  letter_id uuid primary key references notification_batches on delete cascade,
  kind text not null check (kind in ('verification', 'password-reset', 'address-change')),
  address text not null,
  -- Null for a reset: whose address it is, if anybody's, is looked up when the letter is to be sent.
  user_id uuid,
  written_at timestamptz not null,
  -- When the link of a reset was used, or replaced by a new password.
  spent_at timestamptz
);

-- Finds what an address was sent lately.
create index account_letters_to_address on account_letters (address, kind, written_at);

-- Whether an address may have one more letter of a kind. Until the end of the transaction nobody else may ask.
create function may_have_account_letter(to_address text, of_kind text, most int, span interval) returns boolean
language plpgsql as $$
begin
  -- Alone in its statement: the count sees all that was committed before the lock was granted.
  perform pg_advisory_xact_lock(hashtextextended(to_address, 24));
  return most > (
    select count(*) from account_letters l
    where l.address = to_address and l.kind = of_kind and l.written_at > clock_timestamp() - span
  );
end
$$;

-- Writes a letter, unless the address has had `most` of the kind within the span. Returns whether it did.
create function post_account_letter(
  letter uuid, of_kind text, to_address text, who uuid, most int, span interval
)
returns boolean language plpgsql as $$
declare
  written timestamptz;
begin
  if not may_have_account_letter(to_address, of_kind, most, span) then
    return false;
  end if;
  written := clock_timestamp();
  -- Its own recipient: it neither waits for what else is on its way to somebody nor holds that up.
  insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at)
    values (letter, letter, 'email', written, written);
  insert into account_letters (letter_id, kind, address, user_id, written_at)
    values (letter, of_kind, to_address, who, written);
  return true;
end
$$;

-- Makes the letter of a reset one of verification, unless the address has had `most` of those within the span.
create function turn_into_verification(letter uuid, who uuid, most int, span interval) returns boolean
language plpgsql as $$
declare
  to_address text;
begin
  select l.address into to_address from account_letters l where l.letter_id = letter and l.kind = 'password-reset';
  if not found or not may_have_account_letter(to_address, 'verification', most, span) then
    return false;
  end if;
  update account_letters l set kind = 'verification', user_id = who
    where l.letter_id = letter and l.kind = 'password-reset';
  return found;
end
$$;

-- Gives an account another password, if it has the version given, or any where that is null. Every link to reset it is
-- spent, and every session but `kept` ends. Returns the sessions that ended; null when the version was another.
create function set_password(who uuid, new_hash text, version int, kept uuid) returns uuid[]
language plpgsql as $$
declare
  account credentials;
  ended uuid[];
begin
  update credentials c set password_hash = new_hash, password_version = c.password_version + 1
    where c.user_id = who and c.password_version = coalesce(version, c.password_version)
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

-- Gives a new password to the account that has the address of the letter, once. Returns whose it is and the sessions that
-- ended; no row when the letter is unknown, too old, spent, or the address is no account's that has proved it.
create function reset_password(letter uuid, new_hash text, span interval)
returns table (user_id uuid, ended uuid[]) language plpgsql as $$
#variable_conflict use_column
declare
  who uuid;
begin
  -- The account's row is the lock, whichever of its letters is used.
  select c.user_id into who from credentials c join account_letters l on l.address = c.email
    where l.letter_id = letter and l.kind = 'password-reset' and c.email_verified_at is not null
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
