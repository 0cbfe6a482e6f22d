import { deflateRawSync } from 'node:zlib';

/** A generator of files that are expensive to sniff, of about the requested size. */
export interface HostileFile {
  title: string;
  contentType: string;
  of(size: number): Buffer;
}

const ZIP = 'application/zip';
const STORED = 0;
const DEFLATED = 8;
const HAS_DESCRIPTOR = 0x08;

/** A local header of a zip archive (APPNOTE.TXT 4.3.7) without a name. */
function localHeader({ flags = 0, method = STORED, size = 0, extra = Buffer.alloc(0) } = {}): Buffer {
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt32LE(size, 18);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, extra]);
}

/** A central directory entry for the member at that offset. */
function entry(offset: number): Buffer {
  const bytes = Buffer.alloc(46);
  bytes.write('PK\x01\x02', 'latin1');
  bytes.writeUInt32LE(offset, 42);
  return bytes;
}

function end(directory: number, comment = 0): Buffer {
  const bytes = Buffer.alloc(22);
  bytes.write('PK\x05\x06', 'latin1');
  bytes.writeUInt32LE(directory, 16);
  bytes.writeUInt16LE(comment, 20);
  return bytes;
}

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** Returns `head` followed by repetitions of `unit`. */
export const repeated = (head: Buffer, unit: Buffer, size: number): Buffer =>
  Buffer.concat([head, Buffer.alloc(Math.max(0, size - head.length), unit)]);

const of = (title: string, contentType: string, head: Buffer, unit: string | Buffer): HostileFile => ({
  title,
  contentType,
  of: (size) => repeated(head, Buffer.from(unit as string, 'latin1'), size),
});

const streamed = localHeader({ flags: HAS_DESCRIPTOR });
const MARK = 'PK\x07\x08';
const PNG = Buffer.concat([
  bytesOf('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0'),
  Buffer.alloc(4),
]);
const GIF = bytesOf('GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0');
const JPEG = bytesOf('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0');
const HEIC = bytesOf('\0\0\0\x18ftypheic\0\0\0\0mif1heic');
const COMPOUND = repeated(Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(1), 512);
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
/** A directory entry of a compound file: it begins with a name, and is 128 bytes long. */
const directoryEntry = (name: string) => repeated(Buffer.from(name, 'utf16le'), Buffer.alloc(1), 128);
const WEBP = bytesOf('RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\0\0\0\0\0\0\0\x01\0\0\x01\0\0');

/** The beginning of a valid file of each type. */
export const heads: Record<string, Buffer> = {
  [ZIP]: localHeader({ size: 4 }),
  'application/pdf': bytesOf('%PDF-1.4\n'),
  'application/rtf': bytesOf('{\\rtf1'),
  'image/png': PNG,
  'image/gif': GIF,
  'image/jpeg': JPEG,
  'image/webp': WEBP,
  'image/heic': HEIC,
  'application/msword': COMPOUND,
  [DOCX]: localHeader({ size: 4 }),
  'text/csv': bytesOf('\xff\xfe'),
  'text/plain': Buffer.alloc(0),
  'text/markdown': bytesOf('<!-- -->'),
  'audio/mpeg': bytesOf('ID3\x04\0\0\0\0\0\0'),
  'video/webm': bytesOf('\x1a\x45\xdf\xa3'),
  'video/mp4': bytesOf('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'),
};

/** All known ways to make a parser work much for few bytes. */
export const hostileFiles: HostileFile[] = [
  of('a streamed member of marks of descriptors', ZIP, streamed, MARK),
  of('streamed members in streamed members, and marks', ZIP, repeated(streamed, streamed, 30 * 16), MARK),
  of('marks and the letters of marks', ZIP, streamed, 'PPKPK\x07PK\x07\x08'),
  of('descriptors of a size that is not theirs', ZIP, streamed, `${MARK}\0\0\0\0\x01\0\0\0\0\0\0\0`),
  of('members without bytes', ZIP, Buffer.alloc(0), localHeader()),
  of(
    'deflated members without bytes',
    ZIP,
    Buffer.alloc(0),
    Buffer.concat([localHeader({ method: DEFLATED, size: 2 }), bytesOf('\x03\0')]),
  ),
  of(
    'a deflated member of empty blocks',
    ZIP,
    localHeader({ flags: HAS_DESCRIPTOR, method: DEFLATED }),
    '\0\0\0\xff\xff',
  ),
  of(
    'extra fields of nothing',
    ZIP,
    Buffer.alloc(0),
    localHeader({ size: 0xffffffff, extra: Buffer.alloc(65_532) }),
  ),
  of('entries for one member', ZIP, localHeader(), entry(0)),
  of('ends of directories', ZIP, localHeader(), end(30)),
  of(
    'an end in the comment of an end',
    ZIP,
    Buffer.concat([localHeader(), entry(0), end(30, 0xffff)]),
    end(30),
  ),
  of('ends of Zip64', ZIP, Buffer.concat([localHeader(), entry(0)]), bytesOf(`PK\x06\x06${'\0'.repeat(52)}`)),
  of('headers of gzip', ZIP, Buffer.alloc(0), '\x1f\x8b\x08\0\0\0\0\0\0\x03'),
  of('headers of 7-Zip', ZIP, Buffer.alloc(0), '7z\xbc\xaf\x27\x1c\0\x04'),
  of('headers of tar', ZIP, Buffer.alloc(257, 'a'), 'ustar\x0000'),
  {
    title: 'a bomb of zeros',
    contentType: ZIP,
    of: (size) =>
      Buffer.concat([
        localHeader({ flags: HAS_DESCRIPTOR, method: DEFLATED }),
        deflateRawSync(Buffer.alloc(size * 200), { level: 1 }),
      ]),
  },
  of('an image of angle brackets', 'image/png', PNG, '<'),
  of('an image of beginnings of tags', 'image/png', PNG, '<s'),
  of('an image of tags that are none', 'image/gif', GIF, '<!doctype htm<scrip<htm<?ph'),
  of('an image of ends of zip archives', 'image/webp', WEBP, 'PK\x05\x06\0\0\0'),
  of('a JPEG of fill bytes', 'image/jpeg', JPEG, '\xff'),
  of('a JPEG of empty segments', 'image/jpeg', JPEG, '\xff\xe0\0\x02'),
  of('a JPEG of marks without a segment', 'image/jpeg', JPEG, '\xff\x01'),
  of('a PNG of empty chunks', 'image/png', PNG, '\0\0\0\0tEXt\0\0\0\0'),
  of('a GIF of empty blocks', 'image/gif', GIF, '!\xfe\0'),
  of('PDF headers', 'application/pdf', Buffer.alloc(0), '%PDF'),
  of('a PDF of ends of zip archives', 'application/pdf', bytesOf('%PDF-1.4\n'), end(0)),
  of('a PDF of streams of archives', 'application/pdf', bytesOf('%PDF-1.4\n'), 'stream\nPK\x03\x04'),
  of('a PDF of beginnings of archives', 'application/pdf', bytesOf('%PDF-1.4\n'), '\nPK\x03\x04'),
  of('a PDF of ends of files', 'application/pdf', bytesOf('%PDF-1.4\n'), 'startxref 1 '),
  of('a PDF of spaces', 'application/pdf', bytesOf('%PDF-1.4\n/Linearized startxref'), ' '),
  of('a HEIC of sizes', 'image/heic', HEIC, 'ispe'),
  of('a compound file of names', 'application/msword', COMPOUND, directoryEntry('_VBA_PROJEC')),
  of(
    'a compound file of names in wrong places',
    'application/msword',
    COMPOUND,
    Buffer.from('Book\0', 'utf16le'),
  ),
  of('a document of members without bytes', DOCX, Buffer.alloc(0), localHeader()),
  of('UTF-16 of angle brackets', 'text/csv', bytesOf('\xff\xfe'), '<\0'),
  of('UTF-16 of spaces', 'text/csv', bytesOf('\xfe\xff'), '\0 '),
  of('a file of which nothing is known', 'application/octet-stream', Buffer.alloc(0), '\r\n%PDF'),
  of('comments of Markdown', 'text/markdown', Buffer.alloc(0), '<!-- -->'),
  of('text of angle brackets', 'text/plain', Buffer.alloc(0), '<'),
  of('tags of ID3', 'audio/mpeg', Buffer.alloc(0), 'ID3\x04\0\0\0\0\0\0'),
  of('elements of Matroska', 'video/webm', Buffer.alloc(0), '\x1a\x45\xdf\xa3\x80'),
];
