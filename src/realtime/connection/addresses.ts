import type { Socket as TcpSocket } from 'node:net';
import { TokenBuckets } from '../../kit/token-bucket.ts';

/**
 * Maximum number of unauthenticated connections of an address. Many users may share an address, and all of
 * them reconnect at once when a node restarts: those beyond it wait for their turn.
 */
const MAX_STRANGERS = 200;
/** Maximum number of connections of all addresses that wait: as many as a node has sockets. */
const MAX_WAITING = 10_000;
/**
 * The longest wait, and the time after which nobody waits any longer behind strangers who do not authenticate. Those have
 * 5 s for it; one process that opens thousands of connections may need more than one.
 */
const [PATIENCE_MS, STALLED_MS] = [10_000, 2_500];
const LOOK_MS = 500;
/** Failed authentications of an address: 300 in a minute, with as many again allowed in the next. */
const FAILURES = { burst: 300, perSecond: 5 };

/** A connection that waits for a place of its address. */
interface Guest {
  since: number;
  decide: (isAllowed: boolean) => void;
  /** Ends the wait when the connection ends. */
  leave: () => void;
}

/** The guests of one address who wait, in their order. */
interface Queue {
  readonly guests: Map<TcpSocket, Guest>;
  /** When a connection of the address was authenticated last, or the queue began. */
  movedAt: number;
  /** True while guests are about to be let in. */
  isDue: boolean;
  stalled: NodeJS.Timeout;
}

const ignore = () => {};

/** Counts the unauthenticated connections and the failures of each client address, as `countedAddress` returns it. */
export class Addresses {
  readonly #strangers = new Map<string, number>();
  readonly #queues = new Map<string, Queue>();
  readonly #failures = new TokenBuckets(FAILURES);
  #waiting = 0;

  /**
   * Calls `decide` with true when one more connection from the address is allowed, at once or after a wait, and with
   * false when it is refused. Does not call it if the connection ends while it waits.
   */
  ask(address: string, tcp: TcpSocket, decide: Guest['decide']): void {
    if (this.#failures.isEmpty(address)) return decide(false);
    if (!this.#queues.has(address) && this.#placesOf(address) > 0) return decide(true);
    if (this.#waiting >= MAX_WAITING) return decide(false);
    const leave = () => this.#takeOut(address, tcp);
    this.#queueOf(address).guests.set(tcp, { since: performance.now(), decide, leave });
    this.#waiting += 1;
    // Nobody else listens before the upgrade, and an error without a listener would end the process.
    tcp.on('close', leave).on('error', ignore);
  }

  /** Counts a connection that is open and not authenticated. */
  opened(address: string): void {
    this.#strangers.set(address, (this.#strangers.get(address) ?? 0) + 1);
  }

  /** Ends the count of such a connection: it is authenticated or gone. */
  settled(address: string, isAuthenticated: boolean): void {
    const left = (this.#strangers.get(address) ?? 0) - 1;
    if (left > 0) this.#strangers.set(address, left);
    else this.#strangers.delete(address);
    const queue = this.#queues.get(address);
    if (!queue) return;
    if (isAuthenticated) queue.movedAt = performance.now();
    if (queue.isDue) return;
    queue.isDue = true;
    setImmediate(() => this.#letIn(address, queue));
  }

  failed(address: string): void {
    this.#failures.take(address);
  }

  /** Refuses everybody who waits. */
  close(): void {
    for (const [address, queue] of this.#queues) this.#refuseAll(address, queue);
  }

  #placesOf(address: string): number {
    return MAX_STRANGERS - (this.#strangers.get(address) ?? 0);
  }

  #queueOf(address: string): Queue {
    const known = this.#queues.get(address);
    if (known) return known;
    const queue: Queue = {
      guests: new Map(),
      movedAt: performance.now(),
      isDue: false,
      stalled: setInterval(() => this.#look(address, queue), LOOK_MS).unref(),
    };
    this.#queues.set(address, queue);
    return queue;
  }

  /** Lets in as many guests as there are places. Each is counted as a stranger before this is called again. */
  #letIn(address: string, queue: Queue): void {
    queue.isDue = false;
    const places = this.#placesOf(address);
    const now = performance.now();
    const isClosed = this.#failures.isEmpty(address);
    let entered = 0;
    for (const [tcp, { since, decide }] of queue.guests) {
      const isAllowed = !isClosed && now - since <= PATIENCE_MS;
      if (isAllowed && entered >= places) break;
      if (isAllowed) entered += 1;
      this.#takeOut(address, tcp);
      decide(isAllowed);
    }
  }

  /** Ends a queue that does not move. A place may be free all the same, when a connection ended before it opened. */
  #look(address: string, queue: Queue): void {
    if (performance.now() - queue.movedAt < STALLED_MS) return;
    if (this.#placesOf(address) > 0) this.#letIn(address, queue);
    else this.#refuseAll(address, queue);
  }

  #refuseAll(address: string, { guests }: Queue): void {
    for (const [tcp, { decide }] of guests) {
      this.#takeOut(address, tcp);
      decide(false);
    }
  }

  #takeOut(address: string, tcp: TcpSocket): void {
    const queue = this.#queues.get(address);
    const guest = queue?.guests.get(tcp);
    if (!queue || !guest) return;
    queue.guests.delete(tcp);
    this.#waiting -= 1;
    tcp.off('close', guest.leave).off('error', ignore);
    if (queue.guests.size > 0) return;
    clearInterval(queue.stalled);
    this.#queues.delete(address);
  }
}
