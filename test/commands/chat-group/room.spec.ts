import { addMember } from '../../../src/commands/chat-group/add-member.ts';
import { closeGroup } from '../../../src/commands/chat-group/close-group.ts';
import { removeMember } from '../../../src/commands/chat-group/remove-member.ts';
import type { Actor } from '../../../src/commands/command.ts';
import { requestUpload } from '../../../src/commands/file/request-upload.ts';
import { deleteMessage } from '../../../src/commands/message/delete-message.ts';
import { editMessage } from '../../../src/commands/message/edit-message.ts';
import { addReaction, removeReaction } from '../../../src/commands/message/react-to-message.ts';
import { sendMessage } from '../../../src/commands/message/send-message.ts';
import type { RejectionCode } from '../../../src/commands/rejection.ts';
import type { GroupRole } from '../../../src/events/chat-group.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import { type GroupId, MessageId, UserId } from '../../../src/events/ids.ts';
import {
  acme,
  ada,
  adaApplied,
  adaAppliedPrivately,
  bob,
  clientMsgId,
  dismissed,
  event,
  eve,
  fileId,
  group,
  groupId as jobsGroup,
  hello,
  hired,
  interviewer,
  jobId,
  jobPosted,
  messageId,
  moved,
  otherJobId,
  privateJobPosted,
  recruiter,
  registered,
  rival,
  sendBy,
  teamCreated,
  thread,
  threadId,
  uuid,
  viewer,
} from '../../support/language/example-events.ts';
import { given, newIdNumber } from '../../support/language/given.ts';

/** Another owner of Acme, and the person whom managers try to add. */
const owner: Actor = { ...acme, userId: UserId.parse(uuid(0xa8)) };
const newcomer: Actor = { ...acme, userId: UserId.parse(uuid(0xa9)) };

/** How far somebody gets in a room: not at all, or to read, to write, to files, and to manage it. */
type Access = '' | 'r' | 'rw' | 'rwf' | 'rwfm';
type Case = [who: string, actor: Actor, access: Access, ...since: DomainEvent[]];

/** Tries every command about a room as one of its people, who gets the answers of its access and no others. */
function tryAll(history: readonly DomainEvent[], groupId: GroupId, actor: Actor, access: Access): void {
  const { userId } = actor;
  const about = { groupId, messageId };
  const own = { ...hello, groupId, senderId: userId, reactions: { '👋': [userId] } };
  const others = { ...own, senderId: uuid(0xee) as UserId };
  const upload = { fileId, groupId, name: 'cv.pdf', contentType: 'application/pdf', size: 1_000 };
  const scene = (message: typeof own) =>
    given(...history, hired(newcomer, 'viewer'), registered(newcomer))
      .as(actor)
      .knowing({ message });
  const may = (letter: string) => access.includes(letter);
  const refused = (code: RejectionCode): RejectionCode => (may('r') ? code : 'GROUP_NOT_FOUND');
  type Outcome = ReturnType<ReturnType<typeof scene>['when']>;
  const tried = (when: Outcome, right: string, events: DomainEvent[], code: RejectionCode) =>
    may(right) ? when.then(events) : when.thenRejects(refused(code));

  const sent = { groupId, clientMsgId, text: 'Hello', replyTo: null };
  tried(
    scene(own).when(sendMessage, { groupId, clientMsgId, text: 'Hello' }),
    'w',
    [
      event('MessageSent', {
        ...{ ...sent, messageId: MessageId.parse(newIdNumber(1)), senderId: userId, fileIds: [] },
      }),
    ],
    'ROLE_NOT_ALLOWED',
  );
  tried(
    scene(own).when(editMessage, { ...about, text: 'Hi' }),
    'w',
    [event('MessageEdited', { ...about, text: 'Hi' })],
    'ROLE_NOT_ALLOWED',
  );
  tried(
    scene(others).when(addReaction, { ...about, emoji: '👍' }),
    'w',
    [event('ReactionAdded', { ...about, emoji: '👍', userId })],
    'ROLE_NOT_ALLOWED',
  );
  tried(
    scene(others).when(removeReaction, { ...about, emoji: '👋' }),
    'w',
    [event('ReactionRemoved', { ...about, emoji: '👋', userId })],
    'ROLE_NOT_ALLOWED',
  );
  tried(
    scene(own).when(requestUpload, upload),
    'f',
    [event('FileUploadRequested', { ...upload, uploaderId: userId, sha256: null, sendBy })],
    'ROLE_NOT_ALLOWED',
  );
  // The right to take back words does not end.
  tried(scene(own).when(deleteMessage, about), 'r', [event('MessageDeleted', about)], 'GROUP_NOT_FOUND');
  tried(
    scene(others).when(deleteMessage, about),
    'm',
    [event('MessageDeleted', about)],
    'NOT_MESSAGE_AUTHOR',
  );
  tried(
    scene(own).when(closeGroup, { groupId }),
    'm',
    [event('GroupClosed', { groupId })],
    'NOT_GROUP_ADMIN',
  );
  tried(
    scene(own).when(addMember, { groupId, userId: newcomer.userId }),
    'm',
    [event('MemberJoined', { groupId, userId: newcomer.userId, role: 'member' })],
    'NOT_GROUP_ADMIN',
  );
  const absent = { groupId, userId: uuid(0xef) };
  scene(own)
    .when(removeMember, absent)
    .thenRejects(may('m') ? 'MEMBER_NOT_FOUND' : refused('NOT_GROUP_ADMIN'));
}

describe('a thread', () => {
  const history = [privateJobPosted, adaAppliedPrivately, ...thread];
  const added = ({ userId }: Actor) => event('MemberJoined', { groupId: threadId, userId, role: 'member' });
  const assigned = ({ userId: assigneeId }: Actor) =>
    event('ThreadAssigned', { groupId: threadId, assigneeId });
  const theirs = [otherJobId];

  test.each<Case>([
    ['its applicant', ada, 'rwf'],
    ['another applicant', bob, ''],
    ['another company', rival, ''],
    ['another company that an old log has in it', rival, '', added(rival)],

    ['the first owner', acme, 'rwfm'],
    ['the first owner, now a recruiter of another job', acme, '', moved(acme, 'recruiter', theirs)],
    ['the first owner, now an interviewer', acme, '', moved(acme, 'interviewer')],
    ['the first owner, now a viewer', acme, 'r', moved(acme, 'viewer')],
    ['the first owner, removed', acme, '', dismissed(acme)],
    ['another owner', owner, 'rwfm', hired(owner, 'owner')],
    ['an owner limited to another job', owner, 'rwfm', hired(owner, 'owner', theirs)],

    ['a recruiter of all jobs', recruiter, 'rwfm', hired(recruiter, 'recruiter')],
    ['a recruiter of its job', recruiter, 'rwfm', hired(recruiter, 'recruiter', [jobId])],
    ['a recruiter of no job', recruiter, '', hired(recruiter, 'recruiter', [])],
    ['a recruiter of another job', recruiter, '', hired(recruiter, 'recruiter', theirs)],
    [
      'a recruiter of another job to whom it is assigned',
      recruiter,
      '',
      ...[hired(recruiter, 'recruiter', theirs), assigned(recruiter)],
    ],
    [
      'a recruiter of another job who was added',
      recruiter,
      'rwfm',
      ...[hired(recruiter, 'recruiter', theirs), added(recruiter)],
    ],
    [
      'a recruiter whose job it was',
      recruiter,
      '',
      ...[hired(recruiter, 'recruiter', [jobId]), moved(recruiter, 'recruiter', theirs)],
    ],

    ['an interviewer', interviewer, '', hired(interviewer, 'interviewer')],
    [
      'an interviewer to whom it is assigned',
      interviewer,
      'rwf',
      ...[hired(interviewer, 'interviewer'), assigned(interviewer)],
    ],
    [
      'an interviewer of its job to whom it is assigned',
      interviewer,
      'rwf',
      ...[hired(interviewer, 'interviewer', [jobId]), assigned(interviewer)],
    ],
    [
      'an interviewer of another job to whom it is assigned',
      interviewer,
      '',
      ...[hired(interviewer, 'interviewer', theirs), assigned(interviewer)],
    ],
    [
      'an interviewer to whom it was assigned',
      interviewer,
      '',
      ...[hired(interviewer, 'interviewer'), assigned(interviewer), assigned(recruiter)],
    ],
    [
      'an interviewer who was added',
      interviewer,
      'rwf',
      ...[hired(interviewer, 'interviewer'), added(interviewer)],
    ],
    [
      'an interviewer who was added, and removed from it',
      interviewer,
      '',
      ...[hired(interviewer, 'interviewer'), added(interviewer)],
      event('MemberRemoved', { groupId: threadId, userId: interviewer.userId }),
    ],

    ['a viewer', viewer, 'r', hired(viewer, 'viewer')],
    ['a viewer of its job', viewer, 'r', hired(viewer, 'viewer', [jobId])],
    ['a viewer of another job', viewer, '', hired(viewer, 'viewer', theirs)],
    ['a viewer to whom it is assigned', viewer, 'r', hired(viewer, 'viewer'), assigned(viewer)],
    ['a viewer of another job who was added', viewer, 'r', hired(viewer, 'viewer', theirs), added(viewer)],

    ['a former owner', owner, '', hired(owner, 'owner'), dismissed(owner)],
    [
      'a former recruiter who had been added',
      recruiter,
      '',
      ...[hired(recruiter, 'recruiter'), added(recruiter), dismissed(recruiter)],
    ],
    [
      'a former interviewer to whom it is assigned',
      interviewer,
      '',
      ...[hired(interviewer, 'interviewer'), assigned(interviewer), dismissed(interviewer)],
    ],
    [
      'a teammate who was removed and came back',
      viewer,
      'rwfm',
      ...[hired(viewer, 'viewer'), dismissed(viewer), hired(viewer, 'owner')],
    ],
  ])('gives %s what is theirs', (_, actor, access, ...since) =>
    tryAll([...history, ...since], threadId, actor, access),
  );
});

describe('the room of a team', () => {
  const history = [privateJobPosted, adaAppliedPrivately, teamCreated];
  const added = ({ userId }: Actor) => event('MemberJoined', { groupId: jobsGroup, userId, role: 'member' });

  test.each<Case>([
    ['an applicant of the job', ada, ''],
    ['an applicant that an old log has in it', ada, '', added(ada)],
    ['another company', rival, ''],
    ['the first owner', acme, 'rwfm'],
    [
      'the first owner, now an interviewer of another job',
      acme,
      '',
      moved(acme, 'interviewer', [otherJobId]),
    ],
    ['the first owner, now a viewer', acme, 'r', moved(acme, 'viewer')],
    ['the first owner, removed', acme, '', dismissed(acme)],
    ['another owner', owner, 'rwfm', hired(owner, 'owner')],
    ['a recruiter of the job', recruiter, 'rwfm', hired(recruiter, 'recruiter', [jobId])],
    ['a recruiter of another job', recruiter, '', hired(recruiter, 'recruiter', [otherJobId])],
    [
      'a recruiter of another job who was added',
      recruiter,
      'rwfm',
      ...[hired(recruiter, 'recruiter', [otherJobId]), added(recruiter)],
    ],
    ['an interviewer', interviewer, 'rwf', hired(interviewer, 'interviewer')],
    ['an interviewer of another job', interviewer, '', hired(interviewer, 'interviewer', [otherJobId])],
    [
      'an interviewer of another job who was added',
      interviewer,
      'rwf',
      ...[hired(interviewer, 'interviewer', [otherJobId]), added(interviewer)],
    ],
    ['a viewer', viewer, 'r', hired(viewer, 'viewer', [jobId])],
    ['a viewer of another job', viewer, '', hired(viewer, 'viewer', [otherJobId])],
    ['a former teammate', viewer, '', hired(viewer, 'owner'), added(viewer), dismissed(viewer)],
  ])('gives %s what is theirs', (_, actor, access, ...since) =>
    tryAll([...history, ...since], jobsGroup, actor, access),
  );
});

describe('the group of a job', () => {
  const history = [jobPosted, adaApplied, ...group];
  const member = (who: Actor, role: GroupRole = 'member') =>
    event('MemberJoined', { groupId: jobsGroup, userId: who.userId, role });

  test.each<Case>([
    ['an applicant', ada, 'rwf'],
    ['an applicant who is an admin', ada, 'rwfm', member(ada, 'admin')],
    ['a stranger', eve, ''],
    ['another company', rival, ''],
    ['another company that an old log has in it', rival, 'rwf', member(rival)],
    ['the first owner', acme, 'rwfm'],
    ['the first owner, now an interviewer', acme, 'rwfm', moved(acme, 'interviewer')],
    ['the first owner, now a viewer', acme, 'r', moved(acme, 'viewer')],
    ['the first owner, removed from the company', acme, '', dismissed(acme)],
    ['an owner who is not in it', owner, '', hired(owner, 'owner')],
    ['a recruiter who is in it', recruiter, 'rwf', hired(recruiter, 'recruiter'), member(recruiter)],
    [
      'a recruiter of another job who is in it',
      recruiter,
      'rwf',
      ...[hired(recruiter, 'recruiter', [otherJobId]), member(recruiter)],
    ],
    [
      'an interviewer who is its admin',
      interviewer,
      'rwfm',
      ...[hired(interviewer, 'interviewer', []), member(interviewer, 'admin')],
    ],
    ['a viewer who is in it', viewer, 'r', hired(viewer, 'viewer'), member(viewer)],
    ['a viewer who is its admin', viewer, 'r', hired(viewer, 'viewer'), member(viewer, 'admin')],
    [
      'a former teammate who had been its admin',
      recruiter,
      '',
      ...[hired(recruiter, 'owner'), member(recruiter, 'admin'), dismissed(recruiter)],
    ],
    [
      'a teammate who was removed from the company and came back',
      recruiter,
      'rwf',
      ...[hired(recruiter, 'owner'), member(recruiter), dismissed(recruiter), hired(recruiter, 'recruiter')],
    ],
  ])('gives %s what is theirs', (_, actor, access, ...since) =>
    tryAll([...history, ...since], jobsGroup, actor, access),
  );
});
