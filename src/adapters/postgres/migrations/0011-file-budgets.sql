-- Inspections that were begun and have not come to an end. They are counted before they start, so that a file whose inspection
-- takes the process with it is not inspected for ever.
create table inspection_tries (
  file_id uuid primary key,
  tries int not null
);
