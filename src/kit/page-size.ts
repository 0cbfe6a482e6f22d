/** Number of successes in a row after which a page grows again. A page that is always too long then fails rarely. */
const STEADY = 10;

/**
 * The number of rows that one statement takes. A statement that fails may have been too long, so the same
 * page is never tried twice: each failure halves it, and ten successes in a row double it again, up to the
 * maximum.
 */
export class PageSize {
  readonly #most: number;
  #rows: number;
  #failures = 0;
  #successes = 0;

  constructor(most: number) {
    this.#most = most;
    this.#rows = most;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Number of failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#successes += 1;
    if (this.#successes % STEADY === 0) this.#rows = Math.min(2 * this.#rows, this.#most);
  }

  failed(): void {
    this.#failures += 1;
    this.#successes = 0;
    this.#rows = Math.max(Math.ceil(this.#rows / 2), 1);
  }
}
