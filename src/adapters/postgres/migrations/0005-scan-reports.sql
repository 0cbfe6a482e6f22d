-- Spent by signed requests of a scanner elsewhere, so that none is taken twice; their signatures expire before these do.
create table scan_report_nonces (
  nonce text primary key,
  spent_at timestamptz not null default now()
);

create index on scan_report_nonces (spent_at);
