import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { RateLimits } from '../auth/rate-limits.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Actor, Lookups } from '../commands/command.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Position } from '../events/event-store.ts';
import type { ApplicationId, GroupId, JobId, UserId } from '../events/ids.ts';
import type { Progress } from '../projections/projection.ts';
import type { ApplicationView, GroupView, JobView, MemberView, MessageView } from './views.ts';

/** An app whose requests and answers are typed by their zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
interface Paging {
  cursor?: string | undefined;
  limit: number;
}
type Job = z.infer<typeof JobView>;
type Application = z.infer<typeof ApplicationView>;
type Group = z.infer<typeof GroupView>;
type Message = z.infer<typeof MessageView>;
type Member = Omit<z.infer<typeof MemberView>, 'online'>;

/** The questions of src/queries, each bound to its database. They throw `CommandRejected` for what the asker may not know. */
export interface Queries {
  listJobs(
    asked: Paging & { q?: string | undefined; status?: Job['status'] | undefined },
  ): Promise<Page<Job>>;
  getJob(asked: { jobId: JobId }): Promise<Job>;
  listApplications(asked: Paging & { actor: Actor; jobId?: JobId | undefined }): Promise<Page<Application>>;
  getApplication(asked: { actor: Actor; applicationId: ApplicationId }): Promise<Application>;
  listGroups(asked: Paging & { userId: UserId }): Promise<Page<Group>>;
  getGroup(asked: { userId: UserId; groupId: GroupId }): Promise<Group>;
  listMembers(asked: Paging & { userId: UserId; groupId: GroupId }): Promise<Page<Member>>;
  messageHistory(asked: {
    userId: UserId;
    groupId: GroupId;
    beforeSeq?: number | undefined;
    afterSeq?: number | undefined;
    aroundSeq?: number | undefined;
    limit: number;
  }): Promise<{ data: Message[]; hasMore: boolean; headSeq: number }>;
  searchMessages(
    asked: Paging & { userId: UserId; q: string; groupId?: GroupId | undefined },
  ): Promise<Page<Message>>;
}

export interface Readiness {
  ready: boolean;
  dependencies: Record<string, { status: string; detail?: string | undefined }>;
}

/** What the routes are wired to. */
export interface RouteDeps {
  handle: HandleCommand;
  loader: AggregateLoader;
  lookups: Lookups;
  queries: Queries;
  progress: Progress;
  /** The position of the last event in the log. */
  head: () => Promise<Position>;
  rateLimits: RateLimits;
  readMarkers: {
    /** Moves a member's marker, never back; `moved` is false when it stood there or further. */
    move(
      groupId: GroupId,
      userId: UserId,
      seq: number,
    ): Promise<{ seq: number; unreadCount: number; moved: boolean }>;
  };
  /** Tells the group's sockets that a member has read up to `seq`. */
  announceRead: (reading: { groupId: GroupId; userId: UserId; seq: number }) => void;
  isOnline: (userId: UserId) => boolean;
  readiness: () => Promise<Readiness>;
  metrics: { expose(): Promise<{ contentType: string; body: string }> };
  /** The socket's own document. */
  asyncapi: Record<string, unknown>;
  newId: () => string;
}
