/** Bytes that come in pieces, to be read as they are needed. */
export interface Source {
  /** How many have been read. */
  at(): number;
  /** The next so many, which stay to be read; undefined when there are fewer. For headers, which are short. */
  peek(length: number): Promise<Buffer | undefined>;
  /** The next piece of at most so many; undefined at the end. */
  next(most?: number): Promise<Buffer | undefined>;
  /** Puts back the end of the piece that was read last. */
  unread(bytes: Buffer): void;
}

/** Reads from an iterator of pieces. */
export function createSource(pieces: AsyncIterator<Buffer>): Source {
  let ahead: Buffer = Buffer.alloc(0);
  let at = 0;

  async function more(): Promise<boolean> {
    const { value, done } = await pieces.next();
    if (done) return false;
    ahead = ahead.length === 0 ? value : Buffer.concat([ahead, value]);
    return true;
  }

  return {
    at: () => at,
    async peek(length) {
      while (ahead.length < length) if (!(await more())) return undefined;
      return ahead.subarray(0, length);
    },
    async next(most = Infinity) {
      while (ahead.length === 0) if (!(await more())) return undefined;
      const piece = ahead.subarray(0, most);
      ahead = ahead.subarray(piece.length);
      at += piece.length;
      return piece;
    },
    unread(bytes) {
      ahead = Buffer.concat([bytes, ahead]);
      at -= bytes.length;
    },
  };
}
