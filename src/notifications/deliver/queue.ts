import type { Lane } from '../notification.ts';

/** The queue of each lane. That of mail has the name under which everything was published before there were lanes. */
export const QUEUE_OF: Readonly<Record<Lane, string>> = {
  email: 'notifications',
  push: 'notifications.push',
  'email-slow': 'notifications.email-slow',
  'push-slow': 'notifications.push-slow',
};
export const LANES = Object.keys(QUEUE_OF) as readonly Lane[];
/** Those that no worker could handle, whatever their lane. */
export const DEAD_QUEUE = 'notifications.dead';

/** The queue refused, or did not confirm in time: it may or may not have the message. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export interface Consumer {
  /** Takes no more; resolves when what is in hand is done. */
  stop(): Promise<void>;
}

/**
 * The port of the queue between the relay and the workers. It carries batch ids, nothing else: no names, no text. Each
 * lane is a queue of its own. A message may come more than once, and one whose handling goes on to throw is handed out
 * five more times, then to `onDead`.
 */
export interface Queue {
  /** Resolves once the queue has it on stable storage. Rejects with `QueueUnavailable` within 5 s. */
  publish(batchId: string, lane: Lane): Promise<void>;
  /** `handle` resolves when the message is done with; when it throws, the message comes again. */
  consume(handlers: {
    handle: (batchId: string) => Promise<void>;
    onDead: (batchId: string, reason: string) => Promise<void>;
    /** Messages of each lane that are handled at once. */
    concurrency: Readonly<Record<Lane, number>>;
  }): Promise<Consumer>;
  /** Why it cannot work now; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
}
