import pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import { type StoredShape, WrittenByNewerCode, firstBeyond } from '../../../events/stored-events.ts';
import type { Projection, Statement } from '../../../projections/projection.ts';
import { columnTypes, withSession } from '../connection.ts';
import { StatementPipeline } from './statement-pipeline.ts';

/** What `move_checkpoint` raises. */
const OVERTAKEN = 'CP001';

/** Somebody else moved the checkpoint: nothing of the batch was kept. */
export const isOvertaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === OVERTAKEN;

/**
 * Every statement joins a batch of any size with tables of any size by their keys. The planner does not know the size
 * of a batch, and would read whole tables while they are small, in plans that it keeps when they have grown.
 */
const BY_KEY = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** Rows and checkpoint stand or fall together, so a commit that a crash undoes is only repeated. */
export const NO_WAIT = { synchronous_commit: 'off' };

/** What the server sees of a connection that writes a schema. */
export const followerName = (schema: string) => `projection ${schema}`;

/** One transaction: the checkpoint moves and the rows follow, or neither. */
export interface Advance {
  /** The projection, or `<name>_next`. */
  name: string;
  from: Position;
  to: Position;
  statements: Statement[];
}

/** A connection that writes the tables of one schema. */
export class ProjectingConnection {
  readonly client: pg.Client;
  readonly #pipeline: StatementPipeline;

  private constructor(client: pg.Client) {
    this.client = client;
    this.#pipeline = new StatementPipeline(client);
  }

  /** `onLost` hears of a connection that breaks while nobody uses it; `statementTimeoutMs` 0 is no limit. */
  static async open(options: {
    url: string;
    schema: string;
    role?: string;
    statementTimeoutMs?: number;
    onLost?: (error: Error) => void;
  }): Promise<ProjectingConnection> {
    const { url, schema, onLost = () => {}, ...session } = options;
    const client = new pg.Client({
      connectionString: withSession(url, {
        ...session,
        settings: { ...BY_KEY, ...NO_WAIT, search_path: schema },
      }),
      application_name: followerName(schema),
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      types: columnTypes,
    });
    client.on('error', onLost);
    await client.connect();
    return new ProjectingConnection(client);
  }

  /** Where the projection stands; undefined when it was never made. */
  async checkpoint(name: string): Promise<{ position: Position; version: number } | undefined> {
    const { rows } = await this.client.query<{ position: number; version: number }>(
      'select position, version from public.checkpoints where name = $1',
      [name],
    );
    return rows[0];
  }

  /** All of it, in one message each way, or nothing. Throws the first error. Only one call at a time. */
  apply({ name, from, to, statements }: Advance): Promise<void> {
    const move = {
      name: 'move-checkpoint',
      text: 'select public.move_checkpoint($1, $2, $3)',
      values: [name, String(from), String(to)],
    };
    return this.#pipeline.run([move, ...statements]);
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {});
  }
}

/** What a batch holds for a projection. */
export interface Handled<E> {
  /** The events that concern it; the array itself when all of them do. */
  events: E[];
  /** Newer code wrote this one of a type that the projection handles: nothing after it may be handled before it is. */
  beyond?: WrittenByNewerCode;
}

/** What a projection does not handle is skipped, also what newer code wrote: see "When a shape changes" in docs/events.md. */
export function handledBy<E extends StoredShape & { position: number }>(
  { handles }: Pick<Projection, 'handles'>,
  events: E[],
): Handled<E> {
  const types = new Set<string>(handles);
  if (events.every(({ type }) => types.has(type))) return { events };
  const end = firstBeyond(events, types);
  const known = end < 0 ? events : events.slice(0, end);
  return {
    events: known.filter(({ type }) => types.has(type)),
    ...(end >= 0 && { beyond: new WrittenByNewerCode(events[end]!) }),
  };
}
