import type pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import { type StoredShape, WrittenByNewerCode, firstBeyond } from '../../../events/stored-events.ts';
import type { Projection, Statement } from '../../../projections/projection.ts';
import { Client } from '../client.ts';
import { columnTypes, withSession } from '../connection.ts';
import { StatementPipeline } from './statement-pipeline.ts';

/** The SQLSTATE that `move_checkpoint` raises. */
const OVERTAKEN = 'CP001';

/** Returns true if another process moved the checkpoint. Nothing of the batch was kept. */
export const isOvertaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === OVERTAKEN;

/**
 * Settings that make every statement join a batch of any size with tables of any size by their keys. The
 * planner does not know the size of a batch, and would read whole tables while they are small, in plans that
 * it keeps when they have grown.
 */
const BY_KEY = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** Rows and checkpoint are committed together, so a commit that a crash undoes is only repeated. */
export const NO_WAIT = { synchronous_commit: 'off' };

/** Returns the application name of a connection that writes a schema. */
export const followerName = (schema: string) => `projection ${schema}`;

/** One transaction: checkpoint and rows change together, or not at all. */
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

  /** Opens a connection. `onLost` is called when it breaks while unused; `statementTimeoutMs` 0 is no limit. */
  static async open(options: {
    url: string;
    schema: string;
    statementTimeoutMs?: number;
    onLost?: (error: Error) => void;
  }): Promise<ProjectingConnection> {
    const { url, schema, onLost = () => {}, ...session } = options;
    const client = new Client({
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

  /** Resolves with the checkpoint of a projection; undefined when it was never made. */
  async checkpoint(name: string): Promise<{ position: Position; version: number } | undefined> {
    const { rows } = await this.client.query<{ position: number; version: number }>(
      'select position, version from public.checkpoints where name = $1',
      [name],
    );
    return rows[0];
  }

  /** Applies all of it, in one message each way, or nothing. Throws the first error. Only one call at a time. */
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

/** The part of a batch that concerns a projection. */
export interface Handled<E> {
  /** The events that concern it; the array itself when all of them do. */
  events: E[];
  /** An event of newer code, of a type that the projection handles. Nothing after it may be handled first. */
  beyond?: WrittenByNewerCode;
}

/**
 * Returns the events that the projection handles. Others are skipped, also those of newer code: see "When a
 * shape changes" in docs/events.md.
 */
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
