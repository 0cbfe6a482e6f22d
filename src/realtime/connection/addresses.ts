import { countedAddress } from '../../auth/client-address.ts';
import { TokenBuckets } from '../../kit/token-bucket.ts';

/**
 * Maximum number of unauthenticated connections of an address. Many users may share an address, and all of
 * them reconnect at once when a node restarts.
 */
const MAX_STRANGERS = 200;
/** Failed authentications of an address: 300 in a minute, with as many again allowed in the next. */
const FAILURES = { burst: 300, perSecond: 5 };

/** Counts the unauthenticated connections and the failures of each client address. */
export class Addresses {
  readonly #strangers = new Map<string, number>();
  readonly #failures = new TokenBuckets(FAILURES);

  /** Returns true if one more connection from the address is allowed now. */
  mayConnect(ip: string): boolean {
    const address = countedAddress(ip);
    return (this.#strangers.get(address) ?? 0) < MAX_STRANGERS && !this.#failures.isEmpty(address);
  }

  /** Counts a connection that is open and not authenticated. */
  opened(ip: string): void {
    const address = countedAddress(ip);
    this.#strangers.set(address, (this.#strangers.get(address) ?? 0) + 1);
  }

  /** Ends the count of such a connection: it is authenticated or gone. */
  settled(ip: string): void {
    const address = countedAddress(ip);
    const left = (this.#strangers.get(address) ?? 0) - 1;
    if (left > 0) this.#strangers.set(address, left);
    else this.#strangers.delete(address);
  }

  failed(ip: string): void {
    this.#failures.take(countedAddress(ip));
  }
}
