-- What every search agrees on: which terms a text has, which terms a question asks for, and how the log is cut into
-- stretches. Indexes are made of the first and the last, so neither may change: whoever wants other terms adds functions,
-- and raises the version of the read models that use them.

create function search_terms(body text) returns tsvector
language sql immutable parallel safe
return to_tsvector('simple'::regconfig, body);

-- As for a search engine: words, "phrases", or, -not.
create function search_query(asked text) returns tsquery
language sql immutable parallel safe
return websearch_to_tsquery('simple'::regconfig, asked);

-- The stretches of the log that a position lies in, a short and a long one: 2^11 and 2^17 positions. The lowest bit tells
-- the two kinds apart.
create function search_stretches(log_position bigint) returns bigint[]
language sql immutable parallel safe
return array[(log_position >> 11) << 1, (log_position >> 17) << 1 | 1];

-- It put the id of the group among the words of the text. Read models of older code keep it until they are rebuilt.
do $$
begin
  drop function message_terms(uuid, text);
exception
  when dependent_objects_still_exist then null;
end
$$;
