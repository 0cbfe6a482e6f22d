import type { Source } from './sniff-archive-source.ts';

const ENTRY = 0x02014b50;
const END = 0x06054b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const END_MARK = Buffer.from('PK\x05\x06', 'latin1');
const IN_ZIP64_END = 0xffffffff;

/**
 * Reads the directory at the end of a zip archive. Every entry must belong to a member that was read, with no
 * two for the same; the end must point to this directory, and nothing may follow. Programs unpack what the
 * directory lists, and would otherwise unpack other members than those that were inspected. Throws
 * `malformed`.
 */
export async function readDirectory(source: Source, starts: Set<number>, malformed: Error): Promise<void> {
  const directory = source.at();
  let header = await peek(source, 4, malformed);
  for (; header.readUInt32LE() === ENTRY; header = await peek(source, 4, malformed)) {
    const entry = await peek(source, 46, malformed);
    if (!starts.delete(entry.readUInt32LE(42))) throw malformed;
    const lengths = entry.readUInt16LE(28) + entry.readUInt16LE(30) + entry.readUInt16LE(32);
    await skip(source, 46 + lengths, malformed);
  }
  if (header.readUInt32LE() === ZIP64_END) {
    const end = await peek(source, 56, malformed);
    if (Number(end.readBigUInt64LE(48)) !== directory) throw malformed;
    await skip(source, 12 + Number(end.readBigUInt64LE(4)), malformed);
    header = await peek(source, 4, malformed);
    if (header.readUInt32LE() !== ZIP64_LOCATOR) throw malformed;
    await skip(source, 20, malformed);
  }
  await readEnd(source, directory, malformed);
}

async function readEnd(source: Source, directory: number, malformed: Error): Promise<void> {
  const end = await peek(source, 22, malformed);
  const offset = end.readUInt32LE(16);
  if (end.readUInt32LE() !== END || (offset !== directory && offset !== IN_ZIP64_END)) throw malformed;
  const length = 22 + end.readUInt16LE(20);
  const all = await peek(source, length, malformed);
  if (all.lastIndexOf(END_MARK) !== 0) throw malformed;
  await skip(source, length, malformed);
  if (await source.next()) throw malformed;
}

async function peek(source: Source, length: number, malformed: Error): Promise<Buffer> {
  const bytes = await source.peek(length);
  if (!bytes) throw malformed;
  return bytes;
}

async function skip(source: Source, length: number, malformed: Error): Promise<void> {
  for (let missing = length; missing > 0;) {
    const piece = await source.next(missing);
    if (!piece) throw malformed;
    missing -= piece.length;
  }
}
