-- What a request with an Idempotency-Key was answered; status and body are null while it runs.
create table idempotency_keys (
  scope text not null,
  key text not null,
  fingerprint text not null,
  claimed_at timestamptz not null default now(),
  status smallint,
  body text,
  primary key (scope, key)
);

create index on idempotency_keys (claimed_at);
