import type { Members } from '../../commands/chat-group/chat-group.ts';
import type { Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { MessageAudience } from './audience.ts';

/** A message for which it is not decided yet whom it has reached. Times are in milliseconds since 1970. */
export interface Undecided extends MessageAudience {
  /** The time by which the message had been pushed to all members who were online. */
  pushedBy: number;
  decideAt: number;
}

/**
 * The largest number kept: 30 s at 6,600 messages a second, about 40 MB at 200 bytes each. Beyond it the
 * oldest are decided early, so that some members may be notified of a message that would have reached them in
 * time. Memory stays bounded, and no member is left out.
 */
export const MOST_UNDECIDED = 200_000;

const BLOCK = 512;
/** Length of a UUID as text. Each message has four. */
const ID = 36;
const IDS = 4 * ID;
const NUMBERS = 7;

/**
 * Consecutive messages, with their ids and numbers in two buffers. As objects they would take twice the
 * memory, and would fill the old generation of the heap, which V8 lets grow to a multiple of what is in use
 * before it collects garbage.
 */
class Block {
  readonly #ids = Buffer.allocUnsafeSlow(BLOCK * IDS);
  readonly #numbers = new Float64Array(BLOCK * NUMBERS);
  readonly #members: (Members | undefined)[] = [];

  set(index: number, { notice, senderId, members, roster, isSelected, ...times }: Undecided): void {
    const { eventId, groupId, subjectId, seq, position } = notice;
    const { sentAt, pushedBy, decideAt } = times;
    this.#ids.write(eventId + groupId + subjectId + senderId, index * IDS, 'latin1');
    const numbers = [position, decideAt, pushedBy, sentAt, roster, seq, isSelected ? 1 : 0];
    this.#numbers.set(numbers, index * NUMBERS);
    this.#members[index] = members;
  }

  position(index: number): Position {
    return this.#numbers[index * NUMBERS]!;
  }

  decideAt(index: number): number {
    return this.#numbers[index * NUMBERS + 1]!;
  }

  /** Returns a message and releases its members. */
  take(index: number): Undecided {
    const id = (nth: number) => {
      const from = index * IDS + nth * ID;
      return this.#ids.toString('latin1', from, from + ID);
    };
    const number = (nth: number) => this.#numbers[index * NUMBERS + nth]!;
    const members = this.#members[index]!;
    this.#members[index] = undefined;
    return {
      notice: {
        eventId: id(0),
        kind: 'message',
        groupId: id(1) as GroupId,
        subjectId: id(2),
        seq: number(5),
        position: number(0),
      },
      senderId: id(3) as UserId,
      members,
      roster: number(4),
      sentAt: number(3),
      pushedBy: number(2),
      decideAt: number(1),
      ...(number(6) === 1 && { isSelected: true }),
    };
  }
}

/** The messages whose time has not come, in log order. */
export class UndecidedMessages {
  readonly #blocks: Block[] = [];
  /** An empty block to use again, because released buffers wait long for the garbage collector. */
  #spare: Block | undefined;
  /** Index of the oldest message in the first block. */
  #start = 0;
  #size = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a message. Its `decideAt` must not be earlier than that of the message added last. */
  add(message: Undecided): void {
    const index = (this.#start + this.#size) % BLOCK;
    if (this.#start + this.#size === this.#blocks.length * BLOCK) {
      this.#blocks.push(this.#spare ?? new Block());
      this.#spare = undefined;
    }
    this.#blocks.at(-1)!.set(index, message);
    this.#size += 1;
  }

  /** Removes and returns the oldest messages that are due, and those beyond the maximum; at most `limit`. */
  take(now: number, limit: number): Undecided[] {
    const tooMany = this.#size - this.#most;
    const taken: Undecided[] = [];
    while (this.#size > 0 && taken.length < limit && (taken.length < tooMany || this.#isDue(now)))
      taken.push(this.#shift());
    return taken;
  }

  /** Returns the position of the oldest message; undefined when there is none. All earlier messages are decided. */
  first(): Position | undefined {
    return this.#size > 0 ? this.#blocks[0]!.position(this.#start) : undefined;
  }

  #isDue(now: number): boolean {
    return this.#blocks[0]!.decideAt(this.#start) <= now;
  }

  #shift(): Undecided {
    const message = this.#blocks[0]!.take(this.#start);
    this.#start += 1;
    this.#size -= 1;
    if (this.#start === BLOCK) {
      this.#spare = this.#blocks.shift();
      this.#start = 0;
    }
    return message;
  }
}
