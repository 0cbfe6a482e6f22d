import type { DatabasePool } from 'slonik';
import type { ApplicationId, GroupId, JobId, MessageId, UserId } from '../events/ids.ts';
import { gather } from '../kit/gather.ts';
import { type ListAccounts, getAccount, listAccounts } from './accounts.ts';
import {
  type ListApplications,
  getApplication,
  hasApplications,
  listApplications,
  subjectOf,
} from './applications.ts';
import { listGrants } from './audit.ts';
import { hasJobs, namesOfUsers } from './companies.ts';
import type { Paging } from './cursor.ts';
import { getErasure, listHolds } from './erasures.ts';
import { filesToInspect, isNamed, orphans, sharedFiles } from './files.ts';
import { type Rooms, getGroup, headsOfThreads, listGroups, roomsOfUsers } from './groups.ts';
import { type ListJobs, getJob, listJobs } from './jobs.ts';
import { firstSeqs, listMembers, memberIds, unseenBy } from './members.ts';
import { type MessageHistory, getMessage, messageHistory } from './message-history.ts';
import { type FileOfGroup, namedFiles } from './named-files.ts';
import { type ListNotes, listNotes } from './notes.ts';
import { listPostings } from './postings.ts';
import { personExport } from './person-export.ts';
import { isListed, profileOf } from './profile.ts';
import { type SearchMessages, searchMessages } from './search-messages.ts';
import { companyOfUser } from './staff.ts';
import { type ListThreads, listThreads } from './threads.ts';
import { unreadOf, unreadTotal, unreadWithout } from './unread.ts';
import { listUsers } from './users.ts';

/** Thousands of sockets may reconnect in one second, so their queries are combined. */
function roomsOfUser(db: DatabasePool) {
  const ask = gather((userIds: UserId[]) => roomsOfUsers(db, userIds));
  return async (userId: UserId): Promise<Rooms> => (await ask(userId)) ?? { rooms: [], hasMore: false };
}

/** Binds all queries to a database. `searches` has separate connections for queries that may take long. */
export const bindQueries = (db: DatabasePool, searches = db) => ({
  roomsOfUser: roomsOfUser(db),
  headsOfThreads: (asked: Parameters<typeof headsOfThreads>[1]) => headsOfThreads(db, asked),
  listJobs: (asked: ListJobs) => listJobs(asked.q === undefined ? db : searches, asked),
  getJob: (asked: Parameters<typeof getJob>[1]) => getJob(db, asked),
  listApplications: (asked: ListApplications) => listApplications(db, asked),
  hasApplications: (jobId: JobId) => hasApplications(db, jobId),
  getApplication: (asked: Parameters<typeof getApplication>[1]) => getApplication(db, asked),
  subjectOf: (applicationId: ApplicationId) => subjectOf(db, applicationId),
  listNotes: (asked: ListNotes) => listNotes(db, asked),
  hasJobs: (companyId: UserId) => hasJobs(db, companyId),
  namesOfUsers: (userIds: readonly UserId[]) => namesOfUsers(db, userIds),
  listGroups: (asked: Parameters<typeof listGroups>[1]) => listGroups(db, asked),
  getGroup: (asked: Parameters<typeof getGroup>[1]) => getGroup(db, asked),
  companyOfUser: (userId: UserId) => companyOfUser(db, userId),
  listThreads: (asked: ListThreads) => listThreads(db, asked),
  listMembers: (asked: Parameters<typeof listMembers>[1]) => listMembers(db, asked),
  firstSeqs: (asked: Parameters<typeof firstSeqs>[1]) => firstSeqs(db, asked),
  unseenBy: (messageIds: readonly MessageId[]) => unseenBy(db, messageIds),
  namedFiles: (files: readonly FileOfGroup[]) => namedFiles(db, files),
  memberIds: (groupId: GroupId) => memberIds(db, groupId),
  profileOf: (userId: UserId) => profileOf(db, userId),
  isListed: (asked: Parameters<typeof isListed>[1]) => isListed(db, asked),
  unreadOf: (asked: Parameters<typeof unreadOf>[1]) => unreadOf(db, asked),
  unreadWithout: (asked: Parameters<typeof unreadWithout>[1]) => unreadWithout(db, asked),
  unreadTotal: (userId: UserId) => unreadTotal(db, userId),
  messageHistory: (asked: MessageHistory) => messageHistory(db, asked),
  getMessage: (asked: Parameters<typeof getMessage>[1]) => getMessage(db, asked),
  listAccounts: (asked: ListAccounts) => listAccounts(db, asked),
  getAccount: (asked: Parameters<typeof getAccount>[1]) => getAccount(db, asked),
  listPostings: (asked: Parameters<typeof listPostings>[1]) =>
    listPostings(db, asked, (all) => listJobs(all.q === undefined ? db : searches, all)),
  listUsers: (asked: Parameters<typeof listUsers>[1]) => listUsers(db, asked),
  searchMessages: (asked: SearchMessages) => searchMessages(searches, asked),
  listGrants: (asked: Paging) => listGrants(db, asked),
  getErasure: (asked: Parameters<typeof getErasure>[1]) => getErasure(db, asked),
  listHolds: (asked: Parameters<typeof listHolds>[1]) => listHolds(db, asked),
  personExport: (userId: UserId) => personExport(db, userId),
  filesToInspect: (limit: number, requestedBefore?: Date) => filesToInspect(db, limit, requestedBefore),
  orphans: (before: Date, limit: number) => orphans(db, before, limit),
  isNamed: (asked: Parameters<typeof isNamed>[1]) => isNamed(db, asked),
  sharedFiles: (asked: Parameters<typeof sharedFiles>[1]) => sharedFiles(db, asked),
});
