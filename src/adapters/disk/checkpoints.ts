import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CheckpointStore, CheckpointsDamaged, NotNext } from '../../audit/checkpoint-store.ts';
import { Checkpoint, hashOf, orderFault } from '../../audit/checkpoint.ts';
import { syncFolder } from './objects.ts';

/** More than the longest line. */
const LINE_BYTES = 1_024;
const CHUNK_BYTES = 65_536;
const LINE_END = 10;

/**
 * Creates a store in a file with one checkpoint on each line, which is only ever appended to. The file and its folder are
 * made with the first checkpoint. A last line without its end was torn by a crash and counts as absent.
 */
export function createCheckpointFile(path: string): CheckpointStore {
  /** Runs the work on the open file; with `absent` when there is none. */
  async function reading<T>(absent: T, work: (file: FileHandle, end: number) => Promise<T>): Promise<T> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!file) return absent;
    try {
      return await work(file, await endOf(file));
    } finally {
      await file.close();
    }
  }

  async function bytesOf(file: FileHandle, from: number, to: number): Promise<Buffer> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  }

  /** Resolves with the end of the last whole line. */
  async function endOf(file: FileHandle): Promise<number> {
    let { size: end } = await file.stat();
    while (end > 0) {
      const from = Math.max(0, end - CHUNK_BYTES);
      const last = (await bytesOf(file, from, end)).lastIndexOf(LINE_END);
      if (last >= 0) return from + last + 1;
      end = from;
    }
    return 0;
  }

  function parse(line: string, at: number): Checkpoint {
    try {
      return Checkpoint.parse(JSON.parse(line));
    } catch (cause) {
      throw new CheckpointsDamaged(`${path} has no checkpoint at byte ${at}`, { cause });
    }
  }

  /** Yields the lines from `from`, the start of one, to `end`, with the place of their start. */
  async function* lines(
    file: FileHandle,
    from: number,
    end: number,
  ): AsyncGenerator<{ line: string; at: number }> {
    let rest = Buffer.alloc(0);
    for (let [next, at] = [from, from]; next < end;) {
      const chunk = await bytesOf(file, next, Math.min(end, next + CHUNK_BYTES));
      if (chunk.length === 0) return;
      next += chunk.length;
      rest = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let stop = rest.indexOf(LINE_END); stop >= 0; stop = rest.indexOf(LINE_END, start)) {
        yield { line: rest.toString('utf8', start, stop), at };
        at += stop + 1 - start;
        start = stop + 1;
      }
      rest = rest.subarray(start);
    }
  }

  async function lastIn(file: FileHandle, end: number): Promise<Checkpoint | undefined> {
    if (end === 0) return undefined;
    const from = Math.max(0, end - LINE_BYTES);
    const bytes = await bytesOf(file, from, end - 1);
    const start = bytes.lastIndexOf(LINE_END) + 1;
    return parse(bytes.toString('utf8', start), from + start);
  }

  /** Resolves with the start of a line before which all checkpoints have at most `after` events. */
  async function placeOf(file: FileHandle, end: number, after: number): Promise<number> {
    let [from, to] = [0, end];
    while (to - from > CHUNK_BYTES) {
      const middle = Math.floor((from + to) / 2);
      const bytes = await bytesOf(file, middle, Math.min(end, middle + 2 * LINE_BYTES));
      const start = bytes.indexOf(LINE_END) + 1;
      const stop = bytes.indexOf(LINE_END, start);
      if (start === 0 || stop < 0)
        throw new CheckpointsDamaged(`${path} has no checkpoint at byte ${middle}`);
      if (parse(bytes.toString('utf8', start, stop), middle + start).size > after) to = middle;
      else from = middle + start;
    }
    return from;
  }

  return {
    async append(checkpoint) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const isNew = await reading(true, async () => false);
      // Others may read it: it holds nothing secret.
      const file = await open(path, 'a+', 0o644);
      try {
        const end = await endOf(file);
        const last = await lastIn(file, end);
        if ((await file.stat()).size > end) await file.truncate(end);
        if (!last || hashOf(last) !== hashOf(checkpoint)) {
          const fault = orderFault(last, checkpoint);
          if (fault) throw new NotNext(fault);
          await file.appendFile(`${JSON.stringify(checkpoint)}\n`);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      if (isNew) await syncFolder(dirname(path));
    },

    read: ({ after, limit }) =>
      reading<Checkpoint[]>([], async (file, end) => {
        const found: Checkpoint[] = [];
        for await (const { line, at } of lines(file, await placeOf(file, end, after), end)) {
          const checkpoint = parse(line, at);
          if (checkpoint.size > after && found.push(checkpoint) === limit) break;
        }
        return found;
      }),

    async *all() {
      const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!file) return;
      try {
        for await (const { line, at } of lines(file, 0, await endOf(file))) yield parse(line, at);
      } finally {
        await file.close();
      }
    },

    last: () => reading<Checkpoint | undefined>(undefined, lastIn),
  };
}

const textOf = (checkpoints: readonly Checkpoint[]): string =>
  checkpoints.map((checkpoint) => `${JSON.stringify(checkpoint)}\n`).join('');

/**
 * Leaves only the checkpoints in `kept` in a file, and moves the others into a new one at `to`, which is on stable storage
 * before they are gone from the first. For the operator of a restored log.
 */
export async function setCheckpointsAside(
  path: string,
  to: string,
  { kept, beyond }: { kept: readonly Checkpoint[]; beyond: readonly Checkpoint[] },
): Promise<void> {
  const write = async (file: string, checkpoints: readonly Checkpoint[]) => {
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(textOf(checkpoints));
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  const draft = `${path}.${randomUUID()}`;
  await write(to, beyond);
  await write(draft, kept);
  await rename(draft, path);
  await syncFolder(dirname(path));
}
