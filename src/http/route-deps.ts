import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RateLimits } from '../protocol/rate-limits.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Lookups } from '../commands/command.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { ReadMarkers, Reading } from '../commands/read-marker/move-read-marker.ts';
import type { Position } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import type { Progress } from '../projections/projection.ts';
import type { bindQueries } from '../queries/queries.ts';

/** An app whose requests and answers are typed by their zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The questions of src/queries, each bound to its database. */
export type Queries = ReturnType<typeof bindQueries>;

export interface Readiness {
  ready: boolean;
  dependencies: Record<string, { status: 'ok' | 'degraded' | 'down'; detail?: string | undefined }>;
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
  readMarkers: ReadMarkers;
  /** Tells the group's sockets that a member has read up to `seq`. */
  announceRead: (reading: Reading) => void;
  /** Those of the users who have a socket. */
  online: (userIds: readonly UserId[]) => Promise<ReadonlySet<UserId>>;
  readiness: () => Promise<Readiness>;
  metrics: { expose(): Promise<{ contentType: string; body: string }> };
  /** The socket's own document. */
  asyncapi: Record<string, unknown>;
  newId: () => string;
}
