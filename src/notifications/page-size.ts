/**
 * How many rows one statement takes. A statement that fails may have been too long, so the same page is never tried
 * twice: each failure halves it, and each success doubles it again up to the most.
 */
export class PageSize {
  readonly #most: number;
  #rows: number;

  constructor(most: number) {
    this.#most = most;
    this.#rows = most;
  }

  get rows(): number {
    return this.#rows;
  }

  succeeded(): void {
    this.#rows = Math.min(2 * this.#rows, this.#most);
  }

  failed(): void {
    this.#rows = Math.max(Math.ceil(this.#rows / 2), 1);
  }
}
