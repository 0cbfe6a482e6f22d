import { PassThrough } from 'node:stream';
import { type InflateRaw, createInflateRaw } from 'node:zlib';
import { isOfficeType, isOpenDocumentType } from '../inspect/content-types.ts';
import type { Check, SniffedReason } from './sniff-check.ts';

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

/** The remaining limits. Walking an archive reduces them. */
interface ArchiveLimits {
  /** Size of one member, unpacked. */
  readonly memberBytes: number;
  /** Size of all members at all depths, unpacked. */
  bytes: number;
  /** Levels of archives within archives. */
  readonly depth: number;
  members: number;
}

/** The archive must be refused, for `reason`. */
class BadArchive extends Error {
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
async function walkArchive(
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
async function readDirectory(source: Source, starts: Set<number>, malformed: Error): Promise<void> {
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

/**
 * Called for each member at the top of an archive. Returns a function that takes its unpacked bytes, if they
 * matter.
 */
type WatchMembers = (name: string) => ((piece: Buffer) => void) | undefined;

/** The members that name the kind. That of Office Open XML lists the types of all other members, too. */
const CONTENT_TYPES = '[Content_Types].xml';
const MIME_TYPE = 'mimetype';
/** Number of bytes kept of such a member. */
const MAX_BYTES = 1_048_576;
const MACROS = /(^|\/)vbaproject\.bin$/i;
const WRITTEN_BY_APPLE = /^(Index\/Document\.iwa|Index\.zip|index\.(xml|apxl)(\.gz)?)$/;

/** Determines the kind of an archive from its members, wherever they are in it. */
function createArchiveKind(contentType: string): {
  watch: WatchMembers;
  refusal(): SniffedReason | undefined;
} {
  const isOffice = isOfficeType(contentType);
  const isOpenDocument = isOpenDocumentType(contentType);
  const namesKind = isOffice ? CONTENT_TYPES : isOpenDocument ? MIME_TYPE : undefined;
  const pieces: Buffer[] = [];
  let length = 0;
  let hasMacros = false;
  let isOfApple = false;

  function keep(piece: Buffer): void {
    if (length >= MAX_BYTES) return;
    length += piece.length;
    pieces.push(Buffer.from(piece));
  }

  return {
    watch(name) {
      if (MACROS.test(name)) hasMacros = true;
      if (WRITTEN_BY_APPLE.test(name)) isOfApple = true;
      return name === namesKind ? keep : undefined;
    },
    refusal() {
      const kinds = Buffer.concat(pieces).toString().toLowerCase();
      if (isOffice) {
        if (hasMacros || /macroenabled|vbaproject/.test(kinds)) return 'type-not-allowed';
        return kinds.includes(`"${contentType}.main+xml"`) ? undefined : 'type-does-not-match';
      }
      const isWrong =
        (isOpenDocument && kinds.trim() !== contentType) ||
        (contentType.startsWith('application/vnd.apple.') && !isOfApple);
      return isWrong ? 'type-does-not-match' : undefined;
    },
  };
}

/**
 * The default limits of clamd (MaxFileSize, MaxScanSize, MaxRecursion, MaxFiles). Up to 1.4, it silently
 * passes a member of a zip archive that is larger than MaxFileSize (Cisco-Talos/clamav#1832), or compressed
 * in a way it does not know. Its "OK" therefore holds only within these limits.
 */
const LIMITS: ArchiveLimits = {
  memberBytes: 100 * 2 ** 20,
  bytes: 400 * 2 ** 20,
  depth: 16,
  members: 10_000,
};

/**
 * Checks that a zip archive, and every zip archive in it, can be inspected, unpacks within the limits, reads
 * the same from its start and from its directory, and is of the declared kind. Members are inflated as they
 * pass, and dropped.
 */
export function createArchiveCheck(contentType: string): Check {
  const kind = createArchiveKind(contentType);
  const passing = new PassThrough({ highWaterMark: 65_536 });
  let isOver = false;
  const result = walk(passing, kind.watch).finally(() => (isOver = true));
  return {
    async see(chunk) {
      if (!isOver && !passing.write(chunk))
        await Promise.race([new Promise<void>((resolve) => passing.once('drain', resolve)), result]);
    },
    async refusal() {
      passing.end();
      return (await result) ?? kind.refusal();
    },
    close: () => void passing.destroy(),
  };
}

async function walk(passing: PassThrough, watch: WatchMembers): Promise<SniffedReason | undefined> {
  const source = createSource(passing.iterator({ destroyOnReturn: false }));
  try {
    await walkArchive(source, { ...LIMITS }, watch);
    return undefined;
  } catch (err) {
    return err instanceof BadArchive ? err.reason : 'type-does-not-match';
  } finally {
    // Keeps the writer from blocking.
    passing.resume();
  }
}
