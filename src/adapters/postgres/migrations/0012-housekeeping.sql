-- Housekeeping finds the oldest rows of each table by an index, a slice at a time.

create index sessions_by_expiry on sessions (expires_at);
create index notifications_settled on notifications (settled_at) where settled_at is not null;
create index notification_batches_done on notification_batches (done_at) where done_at is not null;

-- Replaced by notifications_settled.
drop index notifications_by_age;

-- Few at any time: the keys of requests that are being answered.
create index idempotency_keys_running on idempotency_keys (claimed_at) where status is null;
