-- The browsers that want to be told. Beside the log, because they must be possible to erase: with its user's
-- credentials a subscription goes, too.
create table push_subscriptions (
  -- A secret: whoever knows it can reach the browser. One browser, one user: whoever subscribed last.
  endpoint text primary key check (char_length(endpoint) <= 2048),
  user_id uuid not null references credentials on delete cascade,
  p256dh text not null,
  auth text not null,
  subscribed_at timestamptz not null default clock_timestamp()
);

create index push_subscriptions_of_user on push_subscriptions (user_id, subscribed_at);
