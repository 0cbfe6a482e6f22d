import type { JobEvent } from '../../events/domain-event.ts';
import type { GroupId, JobId, UserId } from '../../events/ids.ts';
import type { Conversations, HistoryFrom, JobStatus } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import type { ActorOrSystem, Aggregate, AggregateRef } from '../command.ts';
import { type Company, companyOf } from '../company/company.ts';

export interface JobDetails {
  title: string;
  description: string;
  location: string | null;
}
export interface JobConversations {
  conversations: Conversations;
  historyFrom: HistoryFrom;
}
export type Job =
  | { status: 'none' }
  | {
      status: JobStatus;
      companyId: UserId;
      groupId: GroupId;
      details: JobDetails;
      chat: JobConversations;
      /** Somebody has applied: `chat` stays. */
      isChatFixed: boolean;
      /** When the rooms of a closed job close; null for a group, which closes with the job. */
      roomsCloseAt: string | null;
    };

const job: Aggregate<Job, JobEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Job => {
    switch (event.type) {
      case 'JobPosted': {
        const { companyId, groupId, title, description, location } = event.data;
        const { conversations = 'group', historyFrom = 'start' } = event.data;
        return {
          ...{ status: 'open', companyId, groupId, details: { title, description, location } },
          ...{ chat: { conversations, historyFrom }, isChatFixed: false, roomsCloseAt: null },
        };
      }
      case 'JobDetailsChanged': {
        const { title, description, location } = event.data;
        return state.status === 'none' ? state : { ...state, details: { title, description, location } };
      }
      case 'JobConversationsChanged': {
        const { conversations, historyFrom } = event.data;
        return state.status === 'none' ? state : { ...state, chat: { conversations, historyFrom } };
      }
      case 'JobConversationsFixed':
        return state.status === 'none' ? state : { ...state, isChatFixed: true };
      case 'JobClosed': {
        const { roomsCloseAt = null } = event.data;
        return state.status === 'none' ? state : { ...state, status: 'closed', roomsCloseAt };
      }
    }
  },
};

/** Names the company of a job, with the rights of the actor in it. Changes of its other people do not matter. */
export const companyOfJob = (
  { job }: { job: Job },
  _input: unknown,
  actor: ActorOrSystem,
): { company?: AggregateRef<Company> } =>
  job.status === 'none' || actor === 'system'
    ? {}
    : { company: { ...companyOf(job.companyId), about: actor.userId } };

export const jobOf = (jobId: JobId): AggregateRef<Job> => ({ stream: jobStream(jobId), aggregate: job });

/** Days for which private conversations go on after a final decision, and after the job was closed. */
export const REPLY_DAYS = 14;
const DAY_MS = 86_400_000;

/** Returns the time so many days later, as events have it. */
export const daysAfter = (time: Date, days: number): string =>
  new Date(time.getTime() + days * DAY_MS).toISOString();
