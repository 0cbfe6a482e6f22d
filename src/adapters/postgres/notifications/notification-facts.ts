import type pg from 'pg';
import { accountOf } from '../../../commands/account/account.ts';
import type { AggregateLoader } from '../../../commands/aggregate-cache.ts';
import { loadRoom, mayInRoom } from '../../../commands/chat-group/room.ts';
import { nameOfCompany } from '../../../commands/company/company-name.ts';
import { companyOf, hasRight } from '../../../commands/company/company.ts';
import type { EventStore } from '../../../events/event-store.ts';
import { RefusedStatus } from '../../../events/file.ts';
import { GroupId, type JobId, type UserId } from '../../../events/ids.ts';
import type {
  ApplicationNews,
  MessageNews,
  NotificationFacts,
} from '../../../notifications/deliver/notification-facts.ts';
import { accounts } from '../../../projections/accounts.ts';
import { applications } from '../../../projections/applications.ts';
import { chatGroups } from '../../../projections/chat-groups.ts';
import { conversations } from '../../../projections/conversations.ts';
import { files } from '../../../projections/files.ts';
import { jobs } from '../../../projections/jobs.ts';
import type { Progress } from '../../../projections/projection.ts';
import { caughtUpWithLog } from '../../../projections/caught-up.ts';

const MESSAGES = `
  select m.message_id as "messageId", m.group_id as "groupId", g.name as "groupName",
    coalesce(a.display_name, '') as "senderName", m.text, m.deleted_at is not null as "isDeleted",
    coalesce(r.seq >= m.seq, false) as "isRead",
    (
      select coalesce(array_agg(f.name order by named.nth), '{}')
      from unnest(m.file_ids) with ordinality named (file_id, nth)
      join files.files f on f.file_id = named.file_id and f.status <> all ($3::text[])
    ) as "fileNames"
  from conversations.messages m
  join chat_groups.groups g on g.group_id = m.group_id
  left join accounts.accounts a on a.user_id = m.sender_id
  left join public.read_markers r on r.group_id = m.group_id and r.user_id = $1
  where m.message_id = any ($2::uuid[]) and not exists (
    -- Who joins while the notifier is behind may be among the recipients.
    select from conversations.participants p
    where p.group_id = m.group_id and p.user_id = $1 and m.seq <= p.hidden_seq
  )`;

const APPLICATIONS = `
  select a.application_id as "applicationId", a.group_id as "groupId", a.status, a.reason, a.revision,
    a.applicant_id as "applicantId", a.assignee_id as "assigneeId", a.job_id as "jobId", j.company_id as "companyId",
    j.title as "jobTitle", coalesce(applicant.display_name, '') as "applicantName"
  from applications.applications a
  join jobs.jobs j on j.job_id = a.job_id
  left join accounts.accounts applicant on applicant.user_id = a.applicant_id
  where a.application_id = any ($1::uuid[])`;

type ApplicationRow = Omit<ApplicationNews, 'eventId' | 'isSuperseded' | 'companyName'> & {
  applicationId: string;
  revision: number;
  applicantId: UserId;
  assigneeId: UserId | null;
  jobId: JobId;
  companyId: UserId;
};

/**
 * Creates the facts that workers need before they send. Membership, preferences and names of companies come from the log,
 * everything else from the read models.
 */
export function createNotificationFacts({
  pool,
  store,
  loader,
  accountLoader,
  progress,
}: {
  pool: Pick<pg.Pool, 'query'>;
  store: Pick<EventStore, 'head' | 'find'>;
  loader: AggregateLoader;
  accountLoader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
}): NotificationFacts {
  const log = { store, progress };

  /** The company's people may have changed since the letter was written down. */
  async function mayRead({ applicantId, companyId, ...matter }: ApplicationRow, userId: UserId) {
    if (userId === applicantId) return true;
    const company = await loader.refresh(companyOf(companyId));
    return hasRight(company.state, 'readThreads', userId, matter);
  }

  return {
    async recipient(userId) {
      const { state } = await accountLoader.refresh(accountOf(userId));
      if (state.status === 'none') return undefined;
      return { displayName: state.displayName, preferences: state.preferences };
    },
    async emailAddress(userId) {
      const { rows } = await pool.query<{ email: string }>(
        `select email from public.credentials
         where user_id = $1 and email_verified_at is not null and suspended_at is null`,
        [userId],
      );
      return rows[0]?.email;
    },
    async groupsOf(userId, groupIds) {
      const rooms = await Promise.all(
        groupIds.map((id) => loadRoom((ref) => loader.refresh(ref), GroupId.parse(id))),
      );
      return new Set(groupIds.filter((_, index) => mayInRoom(rooms[index]!, userId, 'read')));
    },
    async messages(recipientId, messageIds) {
      await caughtUpWithLog(log, conversations, chatGroups, accounts, files);
      const { rows } = await pool.query<MessageNews>({
        name: 'notification-messages',
        text: MESSAGES,
        values: [recipientId, messageIds, RefusedStatus.options],
      });
      return new Map(rows.map((row) => [row.messageId, row]));
    },
    async applications(recipientId, events) {
      await caughtUpWithLog(log, applications, jobs, accounts);
      const { rows } = await pool.query<ApplicationRow>({
        name: 'notification-applications',
        text: APPLICATIONS,
        values: [events.map(({ applicationId }) => applicationId)],
      });
      const byId = new Map(rows.map((row) => [row.applicationId, row]));
      const news = await Promise.all(
        events.map(async ({ eventId, applicationId }): Promise<ApplicationNews[]> => {
          const [row, event] = [byId.get(applicationId), await store.find(eventId)];
          if (!row || !event || !(await mayRead(row, recipientId))) return [];
          const companyName = await nameOfCompany(loader, row.companyId);
          const { groupId, jobTitle, applicantName, status, reason, revision } = row;
          const facts = { groupId, jobTitle, companyName, applicantName, status, reason };
          return [{ ...facts, eventId, isSuperseded: revision > event.revision }];
        }),
      );
      return new Map(news.flat().map((each) => [each.eventId, each]));
    },
  };
}
