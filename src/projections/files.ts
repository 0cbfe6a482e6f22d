import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { type FileStatus, fileEvents, refusedStatus } from '../events/file.ts';
import { plain, quoted } from './columns.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Requested = Recorded<EventOf<'FileUploadRequested'>>;
type Moved = Recorded<EventOf<'FileUploaded' | 'FileCleared' | 'FileRefused'>>;

const request = (events: Requested[]): Statement => ({
  name: 'request',
  text: `
    insert into files
      (file_id, group_id, uploader_id, name, content_type, size, requested_at, revision, status, has_thumbnail)
    select b.*, 'pending', false from unnest(
      $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::bigint[]) b
    on conflict do nothing`,
  values: [
    plain(events.map(({ data }) => data.fileId)),
    plain(events.map(({ data }) => data.groupId)),
    plain(events.map(({ data }) => data.uploaderId)),
    quoted(events.map(({ data }) => data.name)),
    quoted(events.map(({ data }) => data.contentType)),
    plain(events.map(({ data }) => data.size)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ revision }) => revision)),
  ],
});

function statusAfter(event: Moved): FileStatus {
  switch (event.type) {
    case 'FileUploaded':
      return 'scanning';
    case 'FileCleared':
      return 'clean';
    case 'FileRefused':
      return refusedStatus(event.data.reason);
  }
}

/** What happened to a file last, and what its bytes were found to be. */
interface Move {
  last: Moved;
  name: string | null;
  contentType: string | null;
}

function moveOf(event: Moved, earlier: Move | undefined): Move {
  const told = event.type === 'FileCleared' ? event.data : undefined;
  return {
    last: event,
    name: told?.name ?? earlier?.name ?? null,
    contentType: told?.contentType ?? earlier?.contentType ?? null,
  };
}

const move = (moves: Move[]): Statement => ({
  name: 'move',
  text: `
    update files f set status = b.status, reason = b.reason, has_thumbnail = b.has_thumbnail, revision = b.revision,
      name = coalesce(b.name, f.name), content_type = coalesce(b.content_type, f.content_type)
    from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::bigint[], $6::text[], $7::text[])
      b (file_id, status, reason, has_thumbnail, revision, name, content_type)
    where f.file_id = b.file_id and f.revision < b.revision`,
  values: [
    plain(moves.map(({ last }) => last.data.fileId)),
    plain(moves.map(({ last }) => statusAfter(last))),
    plain(moves.map(({ last }) => (last.type === 'FileRefused' ? last.data.reason : null))),
    plain(moves.map(({ last }) => last.type === 'FileCleared' && last.data.hasThumbnail)),
    plain(moves.map(({ last }) => last.revision)),
    quoted(moves.map(({ name }) => name)),
    quoted(moves.map(({ contentType }) => contentType)),
  ],
});

/** How each file stands. Which messages name it, the conversations know. */
export const files = defineProjection({
  name: 'files',
  version: 2,
  tables: `
    create table files (
      file_id uuid primary key,
      group_id uuid not null,
      uploader_id uuid not null,
      name text not null,
      content_type text not null,
      size bigint not null,
      status text not null,
      -- Of a refusal.
      reason text,
      has_thumbnail boolean not null,
      requested_at timestamptz not null,
      revision bigint not null
    )`,
  indexes: `
    create index files_to_inspect on files (requested_at) where status = 'scanning';
    create index files_that_may_be_orphans on files (requested_at) where status in ('pending', 'clean')`,
  handles: typesOf(fileEvents),
  project: (events) => {
    const requested: Requested[] = [];
    const moved = new Map<string, Move>();
    for (const event of events) {
      if (event.type === 'FileUploadRequested') requested.push(event);
      else moved.set(event.data.fileId, moveOf(event, moved.get(event.data.fileId)));
    }
    return [
      ...(requested.length > 0 ? [request(requested)] : []),
      ...(moved.size > 0 ? [move([...moved.values()])] : []),
    ];
  },
});
