import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RateLimits } from '../protocol/rate-limits.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Lookups } from '../commands/command.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { ReadMarkers, Reading } from '../commands/read-marker/move-read-marker.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import type { Semaphore } from '../kit/semaphore.ts';
import type { StoredLog } from '../audit/stored-log.ts';
import type { Authenticate } from '../auth/session.ts';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import type { UserId } from '../events/ids.ts';
import type { Conversations } from '../events/job.ts';
import type { Progress } from '../projections/projection.ts';
import type { Positions } from '../protocol/positions.ts';
import type { bindQueries } from '../queries/queries.ts';

/** A Fastify app with requests and answers typed by zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The queries of src/queries, bound to their database. */
export type Queries = ReturnType<typeof bindQueries>;

export interface Readiness {
  ready: boolean;
  dependencies: Record<string, { status: 'ok' | 'degraded' | 'down'; detail?: string | undefined }>;
}

/** The dependencies of all routes. */
export interface RouteDeps {
  handle: HandleCommand;
  loader: AggregateLoader;
  lookups: Lookups;
  queries: Queries;
  progress: Progress;
  positions: Positions;
  /** Resolves with the position of the last event in the log. */
  head: () => Promise<Position>;
  rateLimits: RateLimits;
  readMarkers: ReadMarkers;
  /** Announces to the group's sockets that a member has read up to `seq`. */
  announceRead: (reading: Reading) => void;
  /** Resolves with those of the users who have a socket. */
  online: (userIds: readonly UserId[]) => Promise<ReadonlySet<UserId>>;
  readiness: () => Promise<Readiness>;
  metrics: { expose(): Promise<{ contentType: string; body: string }> };
  /** The AsyncAPI document of the socket. */
  asyncapi: Record<string, unknown>;
  newId: () => string;
  links: SignedLinks;
  /** The origin at which clients reach this server, if it differs from the host of their requests. */
  publicUrl?: string | undefined;
  /** How conversations are held about a job whose posting does not say. */
  jobConversations: Conversations;
  /** Days for which threads go on after a final decision, or after their job was closed. */
  threadReplyDays: number;
}

/** The dependencies of what auditors read. */
export interface AuditDeps extends Pick<RouteDeps, 'loader' | 'positions'> {
  /** The log as it is decoded. */
  store: Pick<EventStore, 'readStream' | 'revisions' | 'find'>;
  /** The log as it is stored. */
  storedLog: StoredLog;
  authenticate: Authenticate;
}

/** The dependencies of looks into the past. */
export interface LookBackDeps extends AuditDeps {
  /** Runs a few of them at a time, because commands need connections to the log as well. */
  looks: Pick<Semaphore, 'run'>;
}
