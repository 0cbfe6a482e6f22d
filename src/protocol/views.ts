import { z } from 'zod';
import { ApplicationStatus } from '../events/application.ts';
import { GroupKind, GroupRole, GroupStatus } from '../events/chat-group.ts';
import { FileStatus, RefusalReason } from '../events/file.ts';
import { JobId, UserId } from '../events/ids.ts';
import { Conversations, HistoryFrom, JobStatus } from '../events/job.ts';
import { Epoch, Id, Seq, Time, pageOf } from './schemas.ts';

const file = {
  fileId: Id,
  name: z.string(),
  contentType: z.string(),
  size: z.int().min(0).describe('bytes'),
  status: FileStatus,
};

const thumbnailUrl = z
  .url()
  .optional()
  .describe('A picture of it, for the caller alone: the same for an hour, and a browser may keep it as long');

const NamedFileView = z
  .object({ ...file, hasThumbnail: z.boolean(), thumbnailUrl })
  .meta({ id: 'NamedFile' });

/** A file as clients see it. It has links only when it is clean. */
export const FileView = z
  .object({
    ...file,
    groupId: Id,
    reason: RefusalReason.optional().describe('Why it was refused'),
    url: z.url().optional().describe('Downloads it, until expiresAt'),
    expiresAt: Time.optional(),
    thumbnailUrl,
    thumbnail: z
      .object({ url: z.url() })
      .meta({ id: 'Thumbnail' })
      .optional()
      .meta({ deprecated: true, description: 'The same as thumbnailUrl' }),
  })
  .meta({ id: 'SharedFile' });
export const FileList = z.object({ data: z.array(FileView) }).meta({ id: 'FileList' });

const Person = z.object({ id: Id, displayName: z.string() }).meta({ id: 'Person' });
const ApplicantView = z.object({ userId: UserId, displayName: z.string() }).meta({ id: 'Applicant' });

/** A message as clients see it. A deleted message keeps its seq and loses its text. */
export const MessageView = z
  .object({
    id: Id,
    groupId: Id,
    seq: Seq,
    senderId: Id,
    sender: Person,
    clientMsgId: Id.optional().describe('To its sender only'),
    text: z.string().nullable(),
    erasedAt: Time.nullable().describe('When the sender was erased, and the text with it'),
    files: z.array(NamedFileView),
    replyTo: Id.nullable(),
    replyToSeq: Seq.nullable().describe('Of that message; null where it is hidden from the caller'),
    reactions: z.record(z.string(), z.array(Id)),
    occurredAt: Time,
    editedAt: Time.nullable(),
    deletedAt: Time.nullable(),
  })
  .meta({ id: 'Message' });
export const MessagePage = pageOf(MessageView).meta({ id: 'MessagePage' });
export const HistoryPage = z
  .object({ data: z.array(MessageView), hasMore: z.boolean(), headSeq: Seq, epoch: Epoch })
  .meta({ id: 'HistoryPage' });

const alias = 'The same as id, under the name that commands answer with';

export const JobView = z
  .object({
    id: Id,
    jobId: Id.describe(alias),
    groupId: Id,
    companyId: Id,
    company: z.object({ companyId: Id, name: z.string() }).meta({ id: 'JobCompany' }),
    title: z.string(),
    description: z.string(),
    location: z.string().nullable(),
    status: JobStatus,
    conversations: Conversations.describe('With `private`, groupId is the room of the company’s team'),
    historyFrom: HistoryFrom,
    postedAt: Time,
    applied: z.boolean().optional().describe('For an applicant: whether it has applied, and not withdrawn'),
    applicationId: Id.optional().describe('Of an applicant that has applied'),
  })
  .meta({ id: 'Job' });
export const JobPage = pageOf(JobView).meta({ id: 'JobPage' });

export const ApplicationView = z
  .object({
    id: Id,
    applicationId: Id.describe(alias),
    jobId: JobId,
    groupId: Id,
    applicantId: UserId,
    applicant: ApplicantView,
    status: ApplicationStatus,
    reason: z.string().nullable(),
    coverLetter: z.string().nullable(),
    submittedAt: Time,
    assigneeId: Id.nullable().optional().describe('For the company’s people'),
  })
  .meta({ id: 'Application' });
export const ApplicationPage = pageOf(ApplicationView).meta({ id: 'ApplicationPage' });

/** A note as the company's people see it. A deleted note keeps its seq and loses its text. */
const NoteView = z
  .object({
    id: Id,
    noteId: Id.describe(alias),
    seq: Seq,
    authorId: Id,
    author: Person,
    text: z.string().nullable(),
    erasedAt: Time.nullable().describe('When the applicant was erased, and the text with it'),
    occurredAt: Time,
    deletedAt: Time.nullable(),
  })
  .meta({ id: 'Note' });
export const NotePage = z
  .object({ data: z.array(NoteView), hasMore: z.boolean(), headSeq: Seq })
  .meta({ id: 'NotePage' });

export const GroupView = z
  .object({
    id: Id,
    groupId: Id.describe(alias),
    kind: GroupKind,
    jobId: Id.nullable(),
    applicationId: Id.optional().describe('Of a thread'),
    name: z.string(),
    status: GroupStatus,
    myRole: GroupRole,
    memberCount: z.int().min(0),
    headSeq: Seq,
    readSeq: z.int().min(0).describe('Up to where the caller has read, or was not there'),
    unreadCount: z.int().min(0).describe('Messages of others since then that have not been deleted'),
    lastMessage: MessageView.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'Group' });
export const GroupPage = pageOf(GroupView).meta({ id: 'GroupPage' });

export const ThreadView = z
  .object({
    groupId: Id,
    applicationId: Id,
    applicant: ApplicantView,
    status: ApplicationStatus,
    assigneeId: UserId.nullable(),
    headSeq: Seq,
    readSeq: z.int().min(0).describe('Up to where the caller has read, or was not there'),
    lastMessage: MessageView.nullable(),
    unreadCount: z.int().min(0),
    waitingOn: z.enum(['company', 'applicant']).describe('Who is to answer'),
    waitingSince: Time.describe('Of the first message without an answer, or of the application'),
  })
  .meta({ id: 'Thread' });
export const ThreadPage = pageOf(ThreadView).meta({ id: 'ThreadPage' });

const UserNameView = z.object({ userId: UserId, displayName: z.string() }).meta({ id: 'UserName' });
export const UserNames = z.object({ data: z.array(UserNameView) }).meta({ id: 'UserNames' });

export const MemberView = z
  .object({
    userId: UserId,
    displayName: z.string(),
    role: GroupRole,
    online: z.boolean(),
    readSeq: Seq,
    joinedAt: Time,
  })
  .meta({ id: 'Member' });
export const MemberPage = pageOf(MemberView)
  .extend({
    rosterHead: Seq.describe(
      'The version of the list that the page is at least as new as. The one of the first page is the afterRoster of sync',
    ),
  })
  .meta({ id: 'MemberPage' });
