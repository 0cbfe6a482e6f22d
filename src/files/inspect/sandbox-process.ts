import { createSource } from '../sniff/sniff-archive.ts';
import { judgeBytes } from './judge-bytes.ts';
import type { Result, Task } from './sandbox.ts';

/**
 * The program of the sandbox, see adapters/os/sandbox.ts, which starts, limits and kills it. It reports when
 * it is ready, then takes tasks on stdin and writes each result as one line of JSON. A frame is its length
 * (four bytes, little-endian) and that many bytes: the task in JSON, the bytes in pieces, and an empty frame.
 */
const input = createSource(process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>);

/** Resolves with undefined at the end of the input. */
async function readFrame(): Promise<Buffer | undefined> {
  const length = (await input.peek(4))?.readUInt32LE();
  if (length === undefined) return undefined;
  await input.next(4);
  const frame = await input.peek(length);
  if (length > 0) await input.next(length);
  return frame;
}

async function* readBytes(): AsyncGenerator<Buffer> {
  for (let frame = await readFrame(); frame && frame.length > 0; frame = await readFrame()) yield frame;
}

async function perform(task: Task): Promise<Result<Task>> {
  if (task.task === 'judge') return judgeBytes(task.contentType, readBytes());
  // Loaded on demand: most files are not pictures.
  const { makeThumbnail } = await import('./make-thumbnail.ts');
  return { webp: (await makeThumbnail(readBytes()))?.toString('base64') ?? null };
}

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

write({ ready: true });
for (let task = await readFrame(); task; task = await readFrame()) {
  const result = await perform(JSON.parse(task.toString()) as Task);
  const { user, system } = process.cpuUsage();
  write({ result, cpuSeconds: (user + system) / 1e6 });
}
