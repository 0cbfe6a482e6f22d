import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { type FileStatus, fileEvents, refusedStatus } from '../events/file.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

type Requested = Recorded<EventOf<'FileUploadRequested'>>;
type Moved = Recorded<EventOf<'FileUploaded' | 'FileCleared' | 'FileRefused'>>;

const request = statementAbout<Requested>({
  name: 'request',
  columns: {
    file_id: column.uuid(({ data }) => data.fileId),
    group_id: column.uuid(({ data }) => data.groupId),
    uploader_id: column.uuid(({ data }) => data.uploaderId),
    name: column.text(({ data }) => data.name),
    content_type: column.text(({ data }) => data.contentType),
    size: column.bigint(({ data }) => data.size),
    requested_at: column.timestamptz(({ occurredAt }) => occurredAt),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ names, batch }) => `
    insert into files (${names}, status, has_thumbnail)
    select b.*, 'pending', false from ${batch}
    on conflict do nothing`,
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

/** The last event of a file, and the name and type found by the inspection. */
interface Move {
  last: Moved;
  name: string | null;
  contentType: string | null;
}

function moveOf(event: Moved, earlier: Move | undefined): Move {
  const cleared = event.type === 'FileCleared' ? event.data : undefined;
  return {
    last: event,
    name: cleared?.name ?? earlier?.name ?? null,
    contentType: cleared?.contentType ?? earlier?.contentType ?? null,
  };
}

const move = statementAbout<Move>({
  name: 'move',
  columns: {
    file_id: column.uuid(({ last }) => last.data.fileId),
    status: column.word(({ last }) => statusAfter(last)),
    reason: column.word(({ last }) => (last.type === 'FileRefused' ? last.data.reason : null)),
    has_thumbnail: column.boolean(({ last }) => last.type === 'FileCleared' && last.data.hasThumbnail),
    revision: column.bigint(({ last }) => last.revision),
    name: column.text(({ name }) => name),
    content_type: column.text(({ contentType }) => contentType),
  },
  text: ({ batch }) => `
    update files f set status = b.status, reason = b.reason, has_thumbnail = b.has_thumbnail, revision = b.revision,
      name = coalesce(b.name, f.name), content_type = coalesce(b.content_type, f.content_type)
    from ${batch}
    where f.file_id = b.file_id and f.revision < b.revision`,
});

/** The files and their status. The conversations show which messages name a file. */
export const files = defineProjection({
  name: 'files',
  version: 3,
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
    create index files_of_uploader on files (uploader_id);
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
    return [...request(requested), ...move([...moved.values()])];
  },
});
