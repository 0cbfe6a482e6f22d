import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Application, applicationOf } from '../application/application.ts';
import { type AggregateRef, defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf } from './chat-group.ts';

const input = z.strictObject({
  groupId: GroupId,
  jobId: JobId,
  /** Of a thread; null for the team's room. */
  applicantId: UserId.nullable(),
});

/** The group, the job, and a thread's application under the name of its applicant. */
type Known = { group: ChatGroup; job: Job } & Record<`application-${string}`, Application>;

/** Closes a thread or the team's room once its time is over. Before that, and twice, it changes nothing. */
export const closeRoom = defineCommand<z.infer<typeof input>, Known, ChatGroupEvent>({
  name: 'CloseRoom',
  input,
  refuses: ['GROUP_NOT_FOUND', 'ROLE_NOT_ALLOWED'],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, jobId, applicantId }) => {
    const known: { [K in keyof Known]: AggregateRef<Known[K]> } = {
      group: chatGroupOf(groupId),
      job: jobOf(jobId),
    };
    if (applicantId !== null) known[`application-${applicantId}`] = applicationOf(jobId, applicantId);
    return known;
  },
  decide: ({ groupId, applicantId }, known, { actor, now }) => {
    const { group, job } = known;
    const application = known[`application-${applicantId}`];
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    if (group.kind === 'job' || group.status === 'closed') return [];
    const ends = [
      job.status === 'closed' && job.roomsCloseAt,
      application && application.status !== 'none' && application.threadClosesAt,
    ];
    const isOver = ends.some((end) => typeof end === 'string' && Date.parse(end) <= now.getTime());
    return isOver ? [{ type: 'GroupClosed', data: { groupId } }] : [];
  },
});
