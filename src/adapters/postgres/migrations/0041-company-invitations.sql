-- The addresses of invitations to companies. The log has everything else about them. An invitation is worth nothing without
-- its row here, so that nobody but the log and this table together lets anybody in. Its token is signed, and not stored.

create table company_invitations (
  invitation_id uuid primary key,
  company_id uuid not null,
  address text not null check (char_length(address) <= 254),
  expires_at timestamptz not null,
  unique (company_id, address)
);

create index company_invitations_expired on company_invitations (expires_at);
create index company_invitations_to_address on company_invitations (address);

alter table account_letters drop constraint account_letters_kind_check;
alter table account_letters add constraint account_letters_kind_check
  check (kind in ('verification', 'password-reset', 'address-change', 'invitation'));

-- Keeps the address of an invitation and writes its letter, unless the address has had `most` within the span. May be
-- repeated: then it writes no other letter. Returns the invitation that this one replaces, if there is one.
create function keep_invitation(
  which uuid, of_company uuid, to_address text, open_until timestamptz, most int, span interval
)
returns uuid language plpgsql as $$
declare
  replaced uuid;
begin
  -- Alone in its statement: the next one sees what was committed before the lock was granted.
  perform pg_advisory_xact_lock(hashtextextended(of_company || ' ' || to_address, 41));
  delete from company_invitations i
    where i.company_id = of_company and i.address = to_address and i.invitation_id <> which
    returning i.invitation_id into replaced;
  insert into company_invitations (invitation_id, company_id, address, expires_at)
    values (which, of_company, to_address, open_until)
    on conflict (invitation_id) do nothing;
  if found then
    -- The letter has the id of its invitation.
    perform post_account_letter(which, 'invitation', to_address, null, most, span);
  end if;
  return replaced;
end
$$;

-- Forgets a person, as before, and the invitations to its addresses.
create or replace function forget_person(who uuid) returns void
language plpgsql as $$
begin
  perform revoke_session(session_id) from sessions where user_id = who and revoked_at is null;
  update sessions set user_agent = null where user_id = who and user_agent is not null;
  delete from notification_batches b using account_letters l
    where l.letter_id = b.batch_id and l.address in (
      select unnest(array[c.email, c.new_email]) from credentials c where c.user_id = who
    );
  delete from company_invitations i using credentials c
    where c.user_id = who and i.address in (c.email, c.new_email);
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

-- As before, with the table of invitations.
create or replace function scrub_table(relation text, most bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  if relation not in (
    'account_letters', 'client_users', 'company_invitations', 'credentials', 'idempotency_keys',
    'notification_batches', 'push_subscriptions', 'second_factors', 'sessions', 'text_keys'
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
