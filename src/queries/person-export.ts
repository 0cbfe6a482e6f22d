import { type DatabasePool, type PrimitiveValueExpression, sql } from 'slonik';
import { z } from 'zod';
import type { UserId } from '../events/ids.ts';

const PAGE = 500;
const Line = z.looseObject({});
const Place = z.looseObject({ place: z.union([z.number(), z.string()]) });

/** One thing that is stored about a person. `kind` says what it is. */
export type ExportLine = { kind: string } & Record<string, unknown>;

/**
 * Reads everything that is stored about a person, page by page: the account, sessions, browsers, companies and invitations
 * to them, applications, memberships with read markers, messages and files. The first line has the numbers of the others.
 */
export async function* personExport(db: DatabasePool, userId: UserId): AsyncGenerator<ExportLine> {
  const all = async (kind: string, query: ReturnType<typeof sql.fragment>): Promise<ExportLine[]> =>
    (await db.any(sql.type(Line)`${query}`)).map((row) => ({ kind, ...row }));

  async function* pages(
    kind: string,
    first: PrimitiveValueExpression,
    query: (after: PrimitiveValueExpression) => ReturnType<typeof sql.fragment>,
  ): AsyncGenerator<ExportLine> {
    for (let after = first; ;) {
      const rows = await db.any(sql.type(Place)`${query(after)} limit ${PAGE}`);
      for (const { place: _, ...row } of rows) yield { kind, ...row };
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.place;
    }
  }

  yield* await all(
    'summary',
    sql.fragment`
      select now() as "exportedAt",
        (select count(*) from applications.applications where applicant_id = ${userId}) as applications,
        (select count(*) from conversations.participants where user_id = ${userId}) as groups,
        (select coalesce(sum(sent), 0)::bigint from conversations.participants where user_id = ${userId}) as messages,
        (select count(*) from files.files where uploader_id = ${userId}) as files`,
  );
  yield* await all(
    'account',
    sql.fragment`
      select a.user_id as "userId", a.role, a.display_name as "displayName", a.registered_at as "registeredAt",
        u.external_id as "externalId", c.email, c.email_verified_at as "emailVerifiedAt", c.new_email as "newEmail",
        json_build_object('email', a.email, 'push', a.push, 'muted', a.muted, 'quietHours', a.quiet_hours,
          'digestMinutes', a.digest_minutes, 'team', a.team) as "notificationPreferences"
      from accounts.accounts a left join public.credentials c on c.user_id = a.user_id
        left join public.client_users u on u.user_id = a.user_id
      where a.user_id = ${userId}`,
  );
  yield* await all(
    'session',
    sql.fragment`
      select session_id as "sessionId", created_at as "createdAt", expires_at as "expiresAt",
        revoked_at as "endedAt", user_agent as "userAgent"
      from public.sessions where user_id = ${userId} order by created_at limit 10000`,
  );
  yield* await all(
    'pushSubscription',
    sql.fragment`
      select endpoint, subscribed_at as "subscribedAt" from public.push_subscriptions
      where user_id = ${userId} order by subscribed_at limit 10000`,
  );
  yield* await all(
    'company',
    sql.fragment`
      select company_id as "companyId", role, job_ids as "jobIds" from chat_groups.staff
      where user_id = ${userId} order by company_id limit 10000`,
  );
  yield* await all(
    'invitation',
    sql.fragment`
      select i.invitation_id as "invitationId", i.company_id as "companyId", i.expires_at as "expiresAt"
      from public.company_invitations i join public.credentials c on i.address in (c.email, c.new_email)
      where c.user_id = ${userId} order by i.invitation_id limit 10000`,
  );
  yield* pages(
    'application',
    0,
    (after) => sql.fragment`
      select application_id as "applicationId", job_id as "jobId", group_id as "groupId", status, reason,
        cover_letter as "coverLetter", submitted_at as "submittedAt", position as place
      from applications.applications where applicant_id = ${userId} and position > ${after} order by position`,
  );
  yield* pages(
    'membership',
    '00000000-0000-0000-0000-000000000000',
    (after) => sql.fragment`
      select m.group_id as "groupId", g.name as "groupName", m.role, m.joined_at as "joinedAt",
        m.is_active as "isActive", r.seq as "readSeq", m.group_id as place
      from chat_groups.members m join chat_groups.groups g on g.group_id = m.group_id
      left join public.read_markers r on r.group_id = m.group_id and r.user_id = m.user_id
      where m.user_id = ${userId} and m.group_id > ${after}::uuid order by m.group_id`,
  );
  const groups = await db.any(sql.type(z.object({ groupId: z.string() }))`
    select group_id as "groupId" from conversations.participants where user_id = ${userId} and sent > 0
    order by group_id`);
  for (const { groupId } of groups) {
    for (let after = 0; ;) {
      const rows = await db.any(sql.type(z.looseObject({ seq: z.number(), isOwn: z.boolean() }))`
        select message_id as "messageId", group_id as "groupId", seq, client_msg_id as "clientMsgId", text, file_ids as "fileIds",
          reply_to as "replyTo", sent_at as "sentAt", edited_at as "editedAt", deleted_at as "deletedAt",
          sender_id = ${userId} as "isOwn"
        from conversations.messages where group_id = ${groupId} and seq > ${after} order by seq limit ${PAGE}`);
      for (const { isOwn, ...row } of rows) if (isOwn) yield { kind: 'message', ...row };
      if (rows.length < PAGE) break;
      after = rows.at(-1)!.seq;
    }
  }
  yield* pages(
    'file',
    '00000000-0000-0000-0000-000000000000',
    (after) => sql.fragment`
      select file_id as "fileId", group_id as "groupId", name, content_type as "contentType", size, status,
        requested_at as "requestedAt", '/v1/files/' || file_id as path, file_id as place
      from files.files where uploader_id = ${userId} and file_id > ${after}::uuid order by file_id`,
  );
}
