/** The queue refused, or did not confirm in time: it may or may not have the message. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export interface Consumer {
  /** Takes no more; resolves when what is in hand is done. */
  stop(): Promise<void>;
}

/**
 * The port of the queue between the relay and the workers. It carries batch ids, nothing else: no names, no text. A
 * message may come more than once, and one whose handling goes on to throw is handed out five more times, then to
 * `onDead`.
 */
export interface Queue {
  /** Resolves once the queue has it on stable storage. Rejects with `QueueUnavailable` within 5 s. */
  publish(batchId: string): Promise<void>;
  /** `handle` resolves when the message is done with; when it throws, the message comes again. */
  consume(handlers: {
    handle: (batchId: string) => Promise<void>;
    onDead: (batchId: string, reason: string) => Promise<void>;
    /** Messages handled at once. */
    concurrency: number;
  }): Promise<Consumer>;
  /** Why it cannot work now; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
}
