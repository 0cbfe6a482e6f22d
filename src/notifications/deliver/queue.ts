import type { TraceContext } from '../../kit/trace-context.ts';
import type { Lane } from '../notification.ts';

/** The queue of each lane. The queue of mail keeps the name that was used for everything before there were lanes. */
export const QUEUE_OF: Readonly<Record<Lane, string>> = {
  email: 'notifications',
  push: 'notifications.push',
  'email-slow': 'notifications.email-slow',
  'push-slow': 'notifications.push-slow',
};
export const LANES = Object.keys(QUEUE_OF) as readonly Lane[];
/** The queue of messages that no worker could handle, from all lanes. */
export const DEAD_QUEUE = 'notifications.dead';
export const QUEUES: readonly string[] = [...Object.values(QUEUE_OF), DEAD_QUEUE];

/** The queue refused, or did not confirm in time. It may or may not have the message. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export interface Consumer {
  /** Stops taking messages. Resolves when the current ones are handled. */
  stop(): Promise<void>;
}

/**
 * The port of the queue between the relay and the workers. It carries batch ids, and the spans
 * that published them: no names, no text. Each
 * lane is a queue of its own. A message may be delivered more than once. One whose handling keeps throwing is
 * delivered five more times, then passed to `onDead`.
 */
export interface Queue {
  /** Resolves once the queue has it on stable storage. Rejects with `QueueUnavailable` within 5 s. */
  publish(batchId: string, lane: Lane, trace?: TraceContext): Promise<void>;
  /** `handle` resolves when the message is finished. If it throws, the message is delivered again. */
  consume(handlers: {
    handle: (batchId: string, trace?: TraceContext) => Promise<void>;
    onDead: (batchId: string, reason: string) => Promise<void>;
    /** Maximum number of messages of each lane that are handled at once. */
    concurrency: Readonly<Record<Lane, number>>;
  }): Promise<Consumer>;
  /** Resolves with the number of messages that wait in each queue. May be some seconds old. */
  depths(): Promise<{ queue: string; messages: number }[]>;
  /** Returns the reason why it does not work now; undefined while it works. */
  failure(): string | undefined;
  /** Returns the use of its pool of connections to PostgreSQL, if it has one. */
  poolUse?(): { inUse: number; idle: number; waiting: number; max: number };
  close(): Promise<void>;
}
