-- What is left of a person besides the log and the read models goes with the person.

create table erasures (
  erasure_id uuid primary key,
  user_id uuid not null,
  -- Null while something is left.
  cleared_at timestamptz,
  -- When it was cleared once more: a read model that was being rebuilt may have had a text in hand.
  swept_at timestamptz
);

create index erasures_to_sweep on erasures (cleared_at) where swept_at is null;
create index notification_batches_of_recipient on notification_batches (recipient_id);

-- Deletes what the tables beside the log have about a person, and ends the sessions. The rows of the account and of its
-- sessions stay, without anything personal: every node has to learn that they ended. No address has a blank, so nobody
-- logs in with it. Doing it again changes nothing.
create function forget_person(who uuid) returns void
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
  update credentials set
    email = 'erased ' || who, new_email = null, email_verified_at = null, password_hash = '',
    password_version = password_version + 1, display_name = '[erased]'
  where user_id = who and password_hash <> '';
end
$$;
