/**
 * Bytes that arrive in pieces, read on demand. Each byte is copied at most twice, with any mix of reads and
 * put-backs.
 */
export interface Source {
  /** Returns the number of bytes read. */
  at(): number;
  /**
   * Resolves with the next `length` bytes without reading them; undefined when there are fewer. For headers,
   * which are short.
   */
  peek(length: number): Promise<Buffer | undefined>;
  /** Returns all bytes that have arrived and are unread. */
  ahead(): Buffer;
  /** Resolves with the next piece of at most `most` bytes; undefined at the end. */
  next(most?: number): Promise<Buffer | undefined>;
  /** Puts back `length` bytes from the end of the last piece. */
  unread(length: number): void;
}

/** Creates a source from an iterator of pieces. */
export function createSource(pieces: AsyncIterator<Buffer>): Source {
  let come: Buffer = Buffer.alloc(0);
  let start = 0;
  let at = 0;

  async function fill(length: number): Promise<boolean> {
    let count = come.length - start;
    if (count >= length) return true;
    const all = count > 0 ? [come.subarray(start)] : [];
    while (count < length) {
      const { value, done } = await pieces.next();
      if (done) break;
      all.push(value);
      count += value.length;
    }
    come = all.length === 1 ? all[0]! : Buffer.concat(all);
    start = 0;
    return count >= length;
  }

  return {
    at: () => at,
    async peek(length) {
      return (await fill(length)) ? come.subarray(start, start + length) : undefined;
    },
    ahead: () => come.subarray(start),
    async next(most = Infinity) {
      if (!(await fill(1))) return undefined;
      const piece = come.subarray(start, start + most);
      start += piece.length;
      at += piece.length;
      return piece;
    },
    unread(length) {
      start -= length;
      at -= length;
    },
  };
}
