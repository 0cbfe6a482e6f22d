import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import type { ApplicationId, UserId } from '../events/ids.ts';
import { isStaffWith } from './staff.ts';

const Row = z.object({
  id: z.string(),
  noteId: z.string(),
  seq: z.number(),
  authorId: z.string(),
  author: z.object({ id: z.string(), displayName: z.string() }),
  text: z.string().nullable(),
  occurredAt: z.string(),
  deletedAt: z.string().nullable(),
});
/** A note as the company's people see it. */
export interface Note extends z.infer<typeof Row> {
  /** When the applicant was erased, and the text with it. */
  erasedAt: string | null;
}
const Head = z.object({ headSeq: z.number(), erasedAt: z.string().nullable() });

export interface ListNotes {
  userId: UserId;
  applicationId: ApplicationId;
  /** At most one of the two is set. Without any, the newest notes are returned. */
  beforeSeq?: number | undefined;
  afterSeq?: number | undefined;
  limit: number;
}
export interface NotePage {
  /** Ascending by seq. */
  data: Note[];
  /** True if there are more notes in the direction of the page. */
  hasMore: boolean;
  headSeq: number;
}

/**
 * Resolves with a page of the notes on an application, for the company's people who may read them. Throws
 * APPLICATION_NOT_FOUND for everybody else, the applicant too.
 */
export async function listNotes(
  db: DatabasePool,
  { userId, applicationId, beforeSeq, afterSeq, limit }: ListNotes,
): Promise<NotePage> {
  const isReader = isStaffWith('readNotes', userId, {
    companyId: sql.fragment`j.company_id`,
    jobId: sql.fragment`a.job_id`,
    assigneeId: sql.fragment`a.assignee_id`,
  });
  const head = await db.maybeOne(sql.type(Head)`
    select p.erased_at as "erasedAt", coalesce((
      select max(n.changed_seq) from applications.notes n where n.application_id = a.application_id
    ), 0) as "headSeq"
    from applications.applications a
    join jobs.jobs j on j.job_id = a.job_id
    left join accounts.accounts p on p.user_id = a.applicant_id
    where a.application_id = ${applicationId} and ${isReader}`);
  if (!head) throw new CommandRejected('APPLICATION_NOT_FOUND');
  const { headSeq, erasedAt } = head;

  const isNewer = afterSeq !== undefined;
  // A note may have been added since the head was read: the page must not go beyond it.
  const window = isNewer
    ? sql.fragment`n.seq > ${afterSeq} and n.seq <= ${headSeq}`
    : sql.fragment`n.seq < ${Math.min(beforeSeq ?? Infinity, headSeq + 1)}`;
  const found = await db.any(sql.type(Row)`
    select n.note_id as id, n.note_id as "noteId", n.seq, n.author_id as "authorId",
      json_build_object('id', n.author_id, 'displayName', coalesce(p.display_name, '')) as author,
      n.text, n.added_at as "occurredAt", n.deleted_at as "deletedAt"
    from applications.notes n left join accounts.accounts p on p.user_id = n.author_id
    where n.application_id = ${applicationId} and ${window}
    order by n.seq ${isNewer ? sql.fragment`asc` : sql.fragment`desc`} limit ${limit + 1}`);
  // The text goes a moment after the person.
  const shown = found
    .slice(0, limit)
    .map((row) => ({ ...row, text: erasedAt === null ? row.text : null, erasedAt }));
  return { data: isNewer ? shown : shown.toReversed(), hasMore: found.length > limit, headSeq };
}
