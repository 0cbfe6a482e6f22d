import { countedAddress } from '../../auth/client-address.ts';
import { TokenBuckets } from '../../kit/token-bucket.ts';

/** Many people may share an address, and all come back at once when a node restarts. */
const MAX_STRANGERS = 200;
/** Of failures to say who one is; 300 in a minute, with as much again forgiven in the next. */
const FAILURES = { burst: 300, perSecond: 5 };

/** What each client address has open, and has got wrong. */
export class Addresses {
  readonly #strangers = new Map<string, number>();
  readonly #failures = new TokenBuckets(FAILURES);

  /** Whether one more connection may come from there now. */
  mayConnect(ip: string): boolean {
    const address = countedAddress(ip);
    return (this.#strangers.get(address) ?? 0) < MAX_STRANGERS && !this.#failures.isEmpty(address);
  }

  /** A connection is open that has not said who it is. */
  opened(ip: string): void {
    const address = countedAddress(ip);
    this.#strangers.set(address, (this.#strangers.get(address) ?? 0) + 1);
  }

  /** Such a connection has said who it is, or is gone. */
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
