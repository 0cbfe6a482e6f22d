import type pg from 'pg';
import type { Statement } from '../../../projections/projection.ts';

/** Messages that the driver runs in place of a query. Rows are not requested, and dropped. */
class Sent implements pg.Submittable {
  readonly done: Promise<void>;
  readonly #messages: (connection: pg.Connection) => void;
  readonly #settle: { resolve: () => void; reject: (error: Error) => void };

  constructor(messages: (connection: pg.Connection) => void) {
    const { promise, ...settle } = Promise.withResolvers<void>();
    this.done = promise;
    this.#messages = messages;
    this.#settle = settle;
  }

  submit(connection: pg.Connection): void {
    connection.stream.cork();
    this.#messages(connection);
    connection.sync();
    connection.stream.uncork();
  }

  handleReadyForQuery(): void {
    this.#settle.resolve();
  }

  /** The server skips everything up to the Sync; the driver continues from there by itself. */
  handleError(error: Error): void {
    this.#settle.reject(error);
  }

  handleDataRow(): void {}
  handleCommandComplete(): void {}
}

/**
 * Runs statements in one message each way. Statements between two Syncs are one transaction (PostgreSQL,
 * "Pipelining"), which needs no BEGIN and COMMIT. On a busy server, waking both sides costs more than a small
 * statement does.
 */
export class StatementPipeline {
  readonly #client: pg.Client;
  readonly #prepared = new Set<string>();

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /**
   * Runs all statements or none. Throws the first error. Only one call at a time. Prepared statements are
   * sent at once, so that PostgreSQL works while the caller does.
   */
  async run(statements: readonly Statement[]): Promise<void> {
    for (const statement of statements)
      if (!this.#prepared.has(statement.name)) await this.#prepare(statement);
    await this.#send((connection) => {
      for (const { name, values } of statements) {
        connection.bind({ statement: name, values: values as string[] }, true);
        connection.execute({}, true);
      }
    });
  }

  /** Prepares a statement separately, because it then stays prepared when the transaction fails. */
  async #prepare({ name, text }: Statement): Promise<void> {
    await this.#send((connection) => connection.parse({ name, text, types: [] }, true));
    this.#prepared.add(name);
  }

  #send(messages: (connection: pg.Connection) => void): Promise<void> {
    return this.#client.query(new Sent(messages)).done;
  }
}
