import type { Position } from '../events/event-store.ts';
import type { MessageAudience } from './audience.ts';

/** A message of which nobody knows yet whom it has reached. Times are milliseconds since 1970. */
export interface Undecided extends MessageAudience {
  /** By then it had been pushed to everybody who was there. */
  pushedBy: number;
  decideAt: number;
}

/**
 * At most so many, at about 500 bytes each: 30 s of 6,600 messages a second. Beyond that the oldest are decided early, so
 * that some may be told of a message that would have reached them in time; memory stays bounded and nobody is forgotten.
 */
export const MOST_UNDECIDED = 200_000;

/** The messages whose time is not up, in log order. */
export class UndecidedMessages {
  #messages: Undecided[] = [];
  /** Those before it have been taken out; moving the rest up each time would cost more than all else. */
  #start = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** `decideAt` must not lie before that of the last one. */
  add(message: Undecided): void {
    this.#messages.push(message);
  }

  /** Takes out the oldest ones whose time is up, and those that are too many: at most `limit`. */
  take(now: number, limit: number): Undecided[] {
    const tooMany = this.#size() - this.#most;
    let count = 0;
    while (count < limit && (count < tooMany || this.#isDue(count, now))) count += 1;
    const taken = this.#messages.slice(this.#start, this.#start + count);
    this.#start += count;
    if (this.#start > this.#messages.length / 2) {
      this.#messages = this.#messages.slice(this.#start);
      this.#start = 0;
    }
    return taken;
  }

  /** Everything before it is decided. */
  first(): Position | undefined {
    return this.#messages[this.#start]?.notice.position;
  }

  #size(): number {
    return this.#messages.length - this.#start;
  }

  #isDue(index: number, now: number): boolean {
    const message = this.#messages[this.#start + index];
    return message !== undefined && message.decideAt <= now;
  }
}
