import type { Actor, MessageFacts } from '../../../src/commands/command.ts';
import type { GroupRole } from '../../../src/events/chat-group.ts';
import type { EventOf, EventType } from '../../../src/events/domain-event.ts';
import type { ReviewStatus } from '../../../src/events/application.ts';
import type { CompanyRole } from '../../../src/events/company.ts';
import type { RefusalReason } from '../../../src/events/file.ts';
import {
  ActId,
  ApplicationId,
  ClientMsgId,
  ErasureId,
  FileId,
  GrantId,
  GroupId,
  HoldId,
  InvitationId,
  JobId,
  MessageId,
  NoteId,
  UserId,
} from '../../../src/events/ids.ts';

/** The n-th UUID, the same in every run. */
export const uuid = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export const event = <T extends EventType>(type: T, data: EventOf<T>['data']): EventOf<T> =>
  ({ type, data }) as EventOf<T>;

const person = (n: number, role: Actor['role']): Actor => ({ userId: UserId.parse(uuid(n)), role });

/**
 * Acme posts the job and is the admin of its group; Ada and Bob apply; Rival is another company; Eve is a
 * stranger.
 */
export const acme = person(0xa1, 'company');
export const rival = person(0xa2, 'company');
export const auditor = person(0xd1, 'auditor');
export const operator = person(0xd2, 'admin');
export const ada = person(0xb1, 'applicant');
export const bob = person(0xb2, 'applicant');
export const eve = person(0xe1, 'applicant');

export const jobId = JobId.parse(uuid(0x10));
export const groupId = GroupId.parse(uuid(0x20));
export const otherGroupId = GroupId.parse(uuid(0x21));
export const applicationId = ApplicationId.parse(uuid(0x30));
export const messageId = MessageId.parse(uuid(0x40));
export const clientMsgId = ClientMsgId.parse(uuid(0x50));

export const registered = ({ userId, role }: Actor, displayName = 'Ada') =>
  event('AccountRegistered', { userId, role, displayName });

/** The people whom Acme hires for its team. */
export const recruiter = person(0xa3, 'company');
export const interviewer = person(0xa4, 'company');
export const viewer = person(0xa5, 'company');

/** Acme invites Rival, who joins as a recruiter of all jobs. */
export const invitationId = InvitationId.parse(uuid(0x90));
export const teammateInvited = event('TeammateInvited', {
  ...{ companyId: acme.userId, invitationId, role: 'recruiter', jobIds: null },
  expiresAt: '2026-01-09T03:04:05.678Z',
});
export const teammateJoined = event('TeammateJoined', {
  ...{ companyId: acme.userId, userId: rival.userId, invitationId, role: 'recruiter', jobIds: null },
});

const placeAtAcme = ({ userId }: Actor, role: CompanyRole, jobIds: JobId[] | null) => ({
  ...{ companyId: acme.userId, userId, role, jobIds },
});
export const hired = (who: Actor, role: CompanyRole, jobIds: JobId[] | null = null) =>
  event('TeammateJoined', { ...placeAtAcme(who, role, jobIds), invitationId });
export const moved = (who: Actor, role: CompanyRole, jobIds: JobId[] | null = null) =>
  event('TeammateChanged', placeAtAcme(who, role, jobIds));
export const dismissed = ({ userId }: Actor) => event('TeammateRemoved', { companyId: acme.userId, userId });

export const posting = { title: 'Engineer', description: 'Builds engines', location: 'London' };
export const jobPosted = event('JobPosted', { jobId, groupId, companyId: acme.userId, ...posting });
export const jobClosed = event('JobClosed', { jobId, groupId });

/** Another job of Acme. */
export const otherJobId = JobId.parse(uuid(0x11));

export const subject = { applicationId, jobId, groupId, applicantId: ada.userId };
export const adaApplied = event('ApplicationSubmitted', { ...subject, coverLetter: 'I build engines' });
export const applied = ({ userId }: Actor) =>
  event('ApplicationSubmitted', {
    ...{ ...subject, applicationId: ApplicationId.parse(userId), applicantId: userId, coverLetter: null },
  });
export const adaWithdrew = event('ApplicationWithdrawn', subject);
export const adaReturned = event('ApplicationResubmitted', { ...subject, coverLetter: 'I build engines' });
export const adaReconsidered = (status: Exclude<ReviewStatus, 'rejected'>, reason: string | null = null) =>
  event('ApplicationReconsidered', { ...subject, status, reason });
export const adaIs = (status: ReviewStatus, reason: string | null = null) =>
  event('ApplicationStatusChanged', { ...subject, status, reason });

/** Acme notes something about Ada. */
export const noteId = NoteId.parse(uuid(0x41));
export const aboutNote = { applicationId, jobId, applicantId: ada.userId, noteId };
export const noteAdded = event('NoteAdded', {
  ...{ ...aboutNote, authorId: acme.userId, clientMsgId, text: 'Knows engines' },
});
export const noteDeleted = event('NoteDeleted', aboutNote);

export const groupCreated = event('ChatGroupCreated', {
  groupId,
  jobId,
  name: 'Engineer',
  adminId: acme.userId,
});
export const joined = ({ userId }: Actor, role: GroupRole = 'member') =>
  event('MemberJoined', { groupId, userId, role });
export const left = ({ userId }: Actor) => event('MemberLeft', { groupId, userId });
export const removed = ({ userId }: Actor) => event('MemberRemoved', { groupId, userId });
export const groupClosed = event('GroupClosed', { groupId });

/** The same job with private conversations: its group is the team's room, and Ada has a thread with Acme. */
export const privateJobPosted = event('JobPosted', { ...jobPosted.data, conversations: 'private' });
export const threadId = GroupId.parse(uuid(0x22));
export const privately = { ...subject, groupId: threadId, isPrivate: true } as const;
export const adaAppliedPrivately = event('ApplicationSubmitted', {
  ...privately,
  coverLetter: 'I build engines',
});
export const teamCreated = event('ChatGroupCreated', { ...groupCreated.data, kind: 'team' });
export const threadCreated = event('ChatGroupCreated', {
  ...{ groupId: threadId, jobId, name: 'Engineer', adminId: acme.userId },
  ...{ kind: 'thread', applicationId, applicantId: ada.userId },
});
/** Ada's thread. */
export const thread = [
  threadCreated,
  event('MemberJoined', { groupId: threadId, userId: ada.userId, role: 'member' }),
];

export const erasureId = ErasureId.parse(uuid(0x60));
export const erasureRequested = event('ErasureRequested', {
  userId: ada.userId,
  erasureId,
  dueAt: '2026-01-05T03:04:05.678Z',
});
export const erasureWithdrawn = event('ErasureWithdrawn', { userId: ada.userId, erasureId });
export const accountErased = event('AccountErased', { userId: ada.userId, erasureId });

export const grantId = GrantId.parse(uuid(0x70));
export const accessGranted = event('AccessGranted', {
  grantId,
  auditorId: auditor.userId,
  reason: 'A complaint about the interview',
  scope: { groupId },
  expiresAt: '2026-01-02T04:04:05.678Z',
});
export const holdId = HoldId.parse(uuid(0x80));
export const holdPlaced = event('HoldPlaced', { holdId, groupId, reason: 'Acme v. Ada' });
export const actId = ActId.parse(uuid(0x90));
export const userSuspended = event('OperatorActed', {
  ...{ actId, operatorId: operator.userId },
  ...{ act: { kind: 'suspendUser', userId: ada.userId }, reason: 'Writes to everybody' },
});
export const holdReleased = event('HoldReleased', { holdId, groupId });

/** Acme's group with Ada and Bob in it. */
export const group = [groupCreated, joined(ada), joined(bob)];

export const helloSent = event('MessageSent', {
  groupId,
  messageId,
  senderId: ada.userId,
  clientMsgId,
  text: 'Hello',
  fileIds: [],
  replyTo: null,
});
/** The read model's view of Ada's "Hello". */
export const hello: MessageFacts = {
  groupId,
  senderId: ada.userId,
  changedSeq: 1,
  isDeleted: false,
  text: 'Hello',
  hasFiles: false,
  reactions: {},
};

export const fileId = FileId.parse(uuid(0x60));
export const aboutFile = { fileId, groupId, uploaderId: ada.userId };
/** Ada may name her CV in messages until then; it becomes an orphan an hour later. */
export const sendBy = '2026-01-03T02:04:05.678Z';
export const upload = {
  name: 'cv.pdf',
  contentType: 'application/pdf',
  size: 1_000,
  sha256: null,
  sendBy,
};
export const uploadRequested = event('FileUploadRequested', { ...aboutFile, ...upload });
export const uploaded = event('FileUploaded', { ...aboutFile, etag: 'first' });
export const cleared = event('FileCleared', { ...aboutFile, sha256: 'ab'.repeat(32), hasThumbnail: false });
export const fileRefused = (reason: RefusalReason, signature: string | null = null) =>
  event('FileRefused', { ...aboutFile, reason, signature });
