import type pg from 'pg';
import type { Statement } from '../../../projections/projection.ts';

/** What the driver tells whatever it runs in the place of a query. Rows are not asked for, and dropped. */
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

  /** The server skips everything up to the Sync; the driver goes on from there by itself. */
  handleError(error: Error): void {
    this.#settle.reject(error);
  }

  handleDataRow(): void {}
  handleCommandComplete(): void {}
}

/**
 * Runs statements in one message each way. Those between two Syncs are one transaction (PostgreSQL, "Pipelining"),
 * so it takes no BEGIN and no COMMIT: on a busy server waking both sides costs more than a small statement does.
 */
export class StatementPipeline {
  readonly #client: pg.Client;
  readonly #prepared = new Set<string>();

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /**
   * All of them or none. Throws the first error. Only one call at a time. What is prepared leaves at once, so that PostgreSQL
   * works while the caller does.
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

  /** On its own, because what was prepared stays so when the transaction fails. */
  async #prepare({ name, text }: Statement): Promise<void> {
    await this.#send((connection) => connection.parse({ name, text, types: [] }, true));
    this.#prepared.add(name);
  }

  #send(messages: (connection: pg.Connection) => void): Promise<void> {
    return this.#client.query(new Sent(messages)).done;
  }
}
