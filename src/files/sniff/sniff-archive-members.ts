import { createInflateRaw, type InflateRaw } from 'node:zlib';
import type { WatchMembers } from './sniff-archive-kind.ts';
import type { SniffedReason } from './sniff-check.ts';
import { readDirectory } from './sniff-archive-directory.ts';
import { createSource, type Source } from './sniff-archive-source.ts';

/** The remaining limits. Walking an archive reduces them. */
export interface ArchiveLimits {
  /** Size of one member, unpacked. */
  readonly memberBytes: number;
  /** Size of all members at all depths, unpacked. */
  bytes: number;
  /** Levels of archives within archives. */
  readonly depth: number;
  members: number;
}

/** The archive must be refused, for `reason`. */
export class BadArchive extends Error {
  readonly reason: SniffedReason;

  constructor(reason: SniffedReason) {
    super(reason);
    this.reason = reason;
  }
}

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const DESCRIPTOR_MARK = Buffer.from('PK\x07\x08', 'latin1');
const DESCRIPTOR_BYTES = 16;
const ENCRYPTED = 0x41;
const HAS_DESCRIPTOR = 0x08;
const STORED = 0;
const DEFLATED = 8;
const IN_ZIP64_FIELD = 0xffffffff;

interface Member {
  name: string;
  isDeflated: boolean;
  /** True if the sizes follow the bytes. */
  hasDescriptor: boolean;
  /** Packed size; meaningless with a descriptor. */
  size: number;
}

/**
 * Reads a zip archive (PKWARE's APPNOTE.TXT) from its start to the last byte of the source, including the
 * archives in it. Rejects with `BadArchive` when the archive passes a limit, is encrypted, is compressed in a
 * way other than deflate, or is malformed. A malformed inner archive counts as "too deep", because its
 * content is unknown.
 */
export async function walkArchive(
  source: Source,
  left: ArchiveLimits,
  watch?: WatchMembers,
  depth = 0,
): Promise<void> {
  if (depth > left.depth) throw new BadArchive('archive-too-deep');
  const malformed = new BadArchive(depth === 0 ? 'type-does-not-match' : 'archive-too-deep');
  const starts = new Set<number>();
  while ((await source.peek(4))?.readUInt32LE() === LOCAL_HEADER) {
    left.members -= 1;
    if (left.members < 0) throw new BadArchive('archive-too-deep');
    starts.add(source.at());
    const member = await readHeader(source, malformed);
    await walkMember(unpacked(source, member, malformed), left, depth, watch?.(member.name));
    if (member.hasDescriptor) await skipDescriptor(source, malformed);
  }
  await readDirectory(source, starts, malformed);
}

async function readHeader(source: Source, malformed: Error): Promise<Member> {
  const fixed = await take(source, 30, malformed);
  const flags = fixed.readUInt16LE(6);
  const method = fixed.readUInt16LE(8);
  const nameAndExtra = await take(source, fixed.readUInt16LE(26) + fixed.readUInt16LE(28), malformed);
  if (flags & ENCRYPTED) throw new BadArchive('encrypted');
  if (method !== STORED && method !== DEFLATED) throw new BadArchive('archive-too-deep');
  const size = fixed.readUInt32LE(18);
  const extra = nameAndExtra.subarray(fixed.readUInt16LE(26));
  return {
    name: nameAndExtra.toString('utf8', 0, fixed.readUInt16LE(26)),
    isDeflated: method === DEFLATED,
    hasDescriptor: (flags & HAS_DESCRIPTOR) !== 0,
    size: size === IN_ZIP64_FIELD ? zip64Size(extra, malformed) : size,
  };
}

/** In a local header, the field has both sizes: first unpacked, then packed. */
function zip64Size(extra: Buffer, malformed: Error): number {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1 && at + 20 <= extra.length)
      return Number(extra.readBigUInt64LE(at + 12));
  throw malformed;
}

function unpacked(source: Source, member: Member, malformed: Error): AsyncGenerator<Buffer> {
  if (member.isDeflated) return inflated(source, member, malformed);
  return member.hasDescriptor ? untilDescriptor(source, malformed) : stored(source, member.size, malformed);
}

/** Counts the unpacked bytes of a member, and walks it if it is an archive itself. */
async function walkMember(
  bytes: AsyncGenerator<Buffer>,
  left: ArchiveLimits,
  depth: number,
  keep?: (piece: Buffer) => void,
): Promise<void> {
  async function* counted(): AsyncGenerator<Buffer> {
    let size = 0;
    for await (const piece of bytes) {
      size += piece.length;
      left.bytes -= piece.length;
      if (size >= left.memberBytes || left.bytes < 0) throw new BadArchive('archive-too-deep');
      keep?.(piece);
      yield piece;
    }
  }
  const source = createSource(counted());
  const head = (await source.peek(4))?.readUInt32LE();
  if (head === LOCAL_HEADER) await walkArchive(source, left, undefined, depth + 1);
  else while (await source.next());
}

async function* stored(source: Source, size: number, malformed: Error): AsyncGenerator<Buffer> {
  for (let missing = size; missing > 0;) {
    const piece = await source.next(missing);
    if (!piece) throw malformed;
    missing -= piece.length;
    yield piece;
  }
}

/**
 * Reads a stored member of unknown size. Its end is at the first descriptor that names as many bytes as came
 * before it.
 */
async function* untilDescriptor(source: Source, malformed: Error): AsyncGenerator<Buffer> {
  for (let size = 0; ;) {
    if (!(await source.peek(DESCRIPTOR_BYTES))) throw malformed;
    const at = descriptorIn(source.ahead(), size);
    if (at === 0) return;
    // A descriptor may lie across the end: the last bytes are searched again together with what follows.
    const piece = (await source.next(at > 0 ? at : source.ahead().length - DESCRIPTOR_BYTES + 1))!;
    size += piece.length;
    yield piece;
  }
}

/** Returns the index of the descriptor of a member that had `size` bytes before these; -1 if it is not in them. */
function descriptorIn(bytes: Buffer, size: number): number {
  let at = bytes.indexOf(DESCRIPTOR_MARK);
  while (at >= 0 && at + DESCRIPTOR_BYTES <= bytes.length) {
    if (bytes.readUInt32LE(at + 8) === size + at) return at;
    at = bytes.indexOf(DESCRIPTOR_MARK, at + 1);
  }
  return -1;
}

async function* inflated(source: Source, member: Member, malformed: Error): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 65_536 });
  const start = source.at();
  const feeding = feed(inflate, source, malformed).catch((err: Error) => inflate.destroy(err));
  try {
    for await (const piece of inflate) yield piece as Buffer;
  } catch {
    throw malformed;
  }
  await feeding;
  if (!member.hasDescriptor && source.at() - start !== member.size) throw malformed;
}

/** Feeds bytes until the deflated data ends, which marks its own end. Bytes after it are put back. */
async function feed(inflate: InflateRaw, source: Source, malformed: Error): Promise<void> {
  for (let fed = 0; ;) {
    const piece = await source.next();
    if (!piece) throw malformed;
    fed += piece.length;
    await new Promise<void>((resolve, reject) => {
      inflate.write(piece, (err) => (err ? reject(err) : resolve()));
    });
    const over = fed - inflate.bytesWritten;
    if (over === 0) continue;
    source.unread(over);
    return;
  }
}

/**
 * Skips a descriptor: CRC and sizes, of 4 bytes or, with Zip64, of 8, after an optional mark. The bytes after
 * it tell which.
 */
async function skipDescriptor(source: Source, malformed: Error): Promise<void> {
  for (const length of [16, 24, 12, 20]) {
    const bytes = await source.peek(length + 4);
    const isMarked = length % 8 === 0;
    if (bytes?.toString('latin1', length, length + 2) !== 'PK') continue;
    if (isMarked && bytes.readUInt32LE() !== DESCRIPTOR) continue;
    await take(source, length, malformed);
    return;
  }
  throw malformed;
}

/** Reads exactly `length` bytes. */
async function take(source: Source, length: number, malformed: Error): Promise<Buffer> {
  const bytes = await source.peek(length);
  if (!bytes) throw malformed;
  if (length > 0) await source.next(length);
  return bytes;
}
