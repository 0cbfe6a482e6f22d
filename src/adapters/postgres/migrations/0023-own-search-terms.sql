-- The terms of a text and of a question come from the program, the same on every database. Read models of older code keep
-- these two until they are rebuilt.
do $$
begin
  drop function search_terms(text), search_query(text);
exception
  when dependent_objects_still_exist then null;
end
$$;
