import { randomBytes } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import sharp from 'sharp';
import type { RefusalReason } from '../../../src/events/file.ts';

configure({ useWebWorkers: false });

const MIB = 2 ** 20;
const PDF = 'application/pdf';
const ZIP = 'application/zip';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const ODT = 'application/vnd.oasis.opendocument.text';

/** A file, its declared type and its expected finding. */
export interface Specimen {
  title: string;
  contentType: string;
  bytes: Buffer;
  expected: 'cleared' | RefusalReason;
  /** The expected finding without a scanner, if different. */
  unscanned?: 'cleared' | RefusalReason;
}

/**
 * The EICAR test file (eicar.org), assembled here so that scanners on developers' machines do not detect this
 * source.
 */
export const eicar = (): Buffer<ArrayBuffer> =>
  Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS', '-TEST-FILE!$H+H*'].join(''));

type Options = ConstructorParameters<typeof ZipWriter>[1];

/** Makes a zip archive of the members, deflated unless `options` say otherwise. */
export async function zip(
  members: Record<string, Uint8Array>,
  options: Options = {},
): Promise<Buffer<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, ...options });
  for (const [name, bytes] of Object.entries(members)) await writer.add(name, new Uint8ArrayReader(bytes));
  return Buffer.from(await writer.close());
}

/** Makes nested zip archives of the given depth. */
export async function nested(bytes: Buffer, depth: number, options: Options = {}): Promise<Buffer> {
  let inner = bytes;
  for (let level = 0; level < depth; level += 1)
    inner = await zip({ [level === 0 ? 'file.txt' : 'inner.zip']: inner }, options);
  return inner;
}

/** A document of one empty page. */
export const pdf = (): Buffer =>
  Buffer.from(
    [
      '%PDF-1.4',
      '1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj',
      '2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj',
      '3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj',
      'trailer\n<</Root 1 0 R/Size 4>>\n%%EOF\n',
    ].join('\n'),
  );

/** The start of a Windows program: the DOS header, its message, and the PE signature. */
function program(): Buffer {
  const bytes = Buffer.alloc(1_024);
  bytes.write('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff', 'latin1');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('This program cannot be run in DOS mode.', 0x4e);
  bytes.write('PE\0\0\x64\x86', 0x80, 'latin1');
  return bytes;
}

const image = () => sharp({ create: { width: 64, height: 48, channels: 3, background: '#306090' } });

/** Makes a small PNG whose header claims the given size. */
export async function png(width: number, height: number): Promise<Buffer> {
  const bytes = await image().png().toBuffer();
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

/** A GIF of one dot, with a comment. */
export const gif = (comment: string): Buffer =>
  Buffer.concat([
    Buffer.from('GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xfe', 'latin1'),
    Buffer.from([comment.length]),
    Buffer.from(`${comment}\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;`, 'latin1'),
  ]);

/** Makes a Word document, with the content type of macros if `macros`. */
const docx = (macros = false) =>
  zip({
    '[Content_Types].xml': Buffer.from(
      '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
        `<Override PartName="/word/document.xml" ContentType="${macros ? 'application/vnd.ms-word.document.macroEnabled' : DOCX}.main+xml"/></Types>`,
    ),
    '_rels/.rels': Buffer.from(
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    ),
    'word/document.xml': Buffer.from(
      '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p/></w:body></w:document>',
    ),
  });

const odt = () =>
  zip({ mimetype: Buffer.from(ODT), 'content.xml': Buffer.from('<office:document/>') }, { level: 0 });

/** Many small, distinct members. */
const many = (count: number): Record<string, Buffer> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}.txt`, Buffer.from(`file ${at}`)]));

/** Changes the declared compression method of every member. */
function withMethod(archive: Buffer, method: number): Buffer {
  const bytes = Buffer.from(archive);
  bytes.writeUInt16LE(method, 8);
  bytes.writeUInt16LE(method, bytes.indexOf('PK\x01\x02') + 10);
  return bytes;
}

/** Files as users send them. */
export async function honestFiles(): Promise<Specimen[]> {
  const files: [title: string, contentType: string, bytes: Buffer][] = [
    ['a PDF', PDF, pdf()],
    ['a PNG', 'image/png', await image().png().toBuffer()],
    ['a JPEG', 'image/jpeg', await image().withMetadata().jpeg().toBuffer()],
    ['a WebP', 'image/webp', await image().webp().toBuffer()],
    ['a lossless WebP', 'image/webp', await image().webp({ lossless: true }).toBuffer()],
    ['a GIF', 'image/gif', gif('made by hand')],
    ['a Word document', DOCX, await docx()],
    ['an OpenDocument text', ODT, await odt()],
    ['text', 'text/plain', Buffer.from('Grüße aus Köln, 你好, 👍\r\n\tBM and MZ are letters, too.\n')],
    [
      'text that begins with the letters of a program',
      'text/plain',
      Buffer.from('MZ is short for Mark Z.\n'),
    ],
    ['text in Latin-1', 'text/plain', Buffer.from('Grüße aus Köln', 'latin1')],
    ['CSV with a mark of UTF-8', 'text/csv', Buffer.from('\ufeffname;years\nÄnne;7\n')],
    ['Markdown that begins with a tag', 'text/markdown', Buffer.from('<p align="center">\n# Title\n</p>\n')],
    ['a zip archive', ZIP, await zip({ 'a.txt': Buffer.from('text'), 'b.pdf': pdf() })],
    [
      'a zip archive of stored members',
      ZIP,
      await zip({ 'a.txt': Buffer.from('text'), 'b/': Buffer.alloc(0) }, { level: 0 }),
    ],
    [
      'a zip archive without descriptors',
      ZIP,
      await zip({ 'a.txt': Buffer.from('text') }, { dataDescriptor: false }),
    ],
    ['a zip archive with Zip64', ZIP, await zip({ 'a.txt': Buffer.from('text') }, { zip64: true })],
    ['a zip archive with zip archives in it', ZIP, await nested(randomBytes(100_000), 4)],
    ['an empty zip archive', ZIP, await zip({})],
  ];
  return files.map(([title, contentType, bytes]) => ({ title, contentType, bytes, expected: 'cleared' }));
}

/** Files with the EICAR test virus in them. */
export async function infectedFiles(): Promise<Specimen[]> {
  const hidden = { 'cv.txt': eicar() };
  return [
    { title: 'EICAR', contentType: 'text/plain', bytes: eicar(), unscanned: 'cleared' },
    { title: 'EICAR in a zip archive', contentType: ZIP, bytes: await zip(hidden), unscanned: 'cleared' },
    {
      title: 'EICAR in zip archives nested 5 deep',
      contentType: ZIP,
      bytes: await nested(eicar(), 5),
      unscanned: 'cleared',
    },
    {
      title: 'EICAR in a zip archive behind a PDF',
      contentType: PDF,
      bytes: Buffer.concat([pdf(), await zip(hidden, { dataDescriptor: false })]),
      unscanned: 'type-does-not-match',
    },
    {
      title: 'EICAR in 1 MiB of text',
      contentType: 'text/plain',
      bytes: Buffer.concat([Buffer.alloc(MIB, 'text '), eicar()]),
      unscanned: 'cleared',
    },
    {
      title: 'EICAR that says it is a PNG',
      contentType: 'image/png',
      bytes: eicar(),
      unscanned: 'type-does-not-match',
    },
  ].map((file) => ({ ...file, expected: 'infected' }) as Specimen);
}

/** Files that cannot be inspected, or not far enough. */
export async function impenetrableFiles(): Promise<Specimen[]> {
  const secret = { password: 'secret', zipCrypto: true } as const;
  const encrypted = await zip({ 'cv.txt': Buffer.from('a secret') }, secret);
  const tooDeep = { contentType: ZIP, expected: 'archive-too-deep' } as const;
  return [
    { title: 'an encrypted zip archive', contentType: ZIP, bytes: encrypted, expected: 'encrypted' },
    {
      title: 'an encrypted zip archive (AES) with EICAR',
      contentType: ZIP,
      bytes: await zip({ e: eicar() }, { password: 'secret' }),
      expected: 'encrypted',
    },
    {
      title: 'an encrypted zip archive in a zip archive',
      contentType: ZIP,
      bytes: await zip({ 'a.zip': encrypted }),
      expected: 'encrypted',
    },
    {
      title: 'an encrypted zip archive that says it is a PDF',
      contentType: PDF,
      bytes: encrypted,
      expected: 'encrypted',
      unscanned: 'type-does-not-match',
    },
    { ...tooDeep, title: 'EICAR nested 30 deep', bytes: await nested(eicar(), 30) },
    { ...tooDeep, title: 'EICAR behind 12,000 files', bytes: await zip({ ...many(12_000), e: eicar() }) },
    { ...tooDeep, title: 'a zip bomb of 300 MB', bytes: await large(300) },
    {
      ...tooDeep,
      title: 'EICAR behind 101 MiB in one member',
      bytes: await large(101),
    },
    {
      ...tooDeep,
      title: 'EICAR behind 101 MiB in a nested archive',
      bytes: await zip({ 'a.zip': await large(101) }),
    },
    { ...tooDeep, title: 'EICAR behind six members of 80 MiB', bytes: await large(80, 80, 80, 80, 80, 80) },
    {
      ...tooDeep,
      title: 'a member that is packed in an unknown way',
      bytes: withMethod(await zip({ e: eicar() }), 14),
    },
  ];
}

/** Makes a zip archive with one member for each size in MiB and EICAR at the end of the last. */
async function large(...sizes: number[]): Promise<Buffer> {
  const writer = new ZipWriter(new Uint8ArrayWriter());
  for (const [at, size] of sizes.entries()) {
    // Each begins differently, because clamd caches clean files.
    const bytes = Buffer.alloc(size * MIB);
    randomBytes(16).copy(bytes);
    if (at === sizes.length - 1) eicar().copy(bytes, bytes.length - eicar().length);
    await writer.add(`${at}`, new Uint8ArrayReader(deflateRawSync(bytes, { level: 1 })), {
      passThrough: true,
      compressionMethod: 8,
      uncompressedSize: bytes.length,
      signature: crc32(bytes),
    });
  }
  return Buffer.from(await writer.close());
}

/** Files of another type than declared. */
export async function lyingFiles(): Promise<Specimen[]> {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const html = Buffer.from('\n <!DOCTYPE html><html><script>alert(1)</script></html>');
  const archive = await zip({ 'a.txt': Buffer.from('text') });
  const files: [title: string, contentType: string, bytes: Buffer][] = [
    ['a PDF as text', 'text/plain', pdf()],
    ['bytes as text', 'text/csv', Buffer.concat([Buffer.alloc(200_000, 'a;b\n'), Buffer.from([0])])],
    ['a zip archive as a Word document', DOCX, archive],
    ['a zip archive as an OpenDocument text', ODT, archive],
    ['a zip archive behind an image', 'image/png', Buffer.concat([await image().png().toBuffer(), archive])],
    [
      'a streamed zip archive with EICAR behind a PDF',
      PDF,
      Buffer.concat([pdf(), await zip({ e: eicar() })]),
    ],
    ['a zip archive behind another', ZIP, Buffer.concat([archive, await zip({ 'b.txt': Buffer.from('b') })])],
    ['half a zip archive', ZIP, archive.subarray(0, archive.length / 2)],
    ['a GIF with a script', 'image/gif', gif('<script>alert(1)</script>')],
    ['a GIF that is JavaScript', 'image/gif', Buffer.from('GIF89a=1;alert(1)//')],
    ['half a JPEG header', 'image/jpeg', (await image().jpeg().toBuffer()).subarray(0, 30)],
  ];
  const running: [title: string, contentType: string, bytes: Buffer][] = [
    ['a program named .pdf', PDF, program()],
    ['a program as text', 'text/plain', program()],
    ['HTML as text', 'text/plain', html],
    ['a fragment of HTML as text', 'text/plain', Buffer.from('<div onclick="alert(1)">')],
    ['HTML as Markdown', 'text/markdown', Buffer.concat([Buffer.from('<!-- a --> <!-- b -->'), html])],
    ['SVG as text', 'text/plain', svg],
    [
      'SVG with an XML declaration as text',
      'text/plain',
      Buffer.concat([Buffer.from('<?xml version="1.0"?>'), svg]),
    ],
    ['SVG as PNG', 'image/png', svg],
    ['a shell script as text', 'text/plain', Buffer.from('#!/bin/sh\nrm -rf /\n')],
    ['PHP as text', 'text/csv', Buffer.from('<?php system($_GET[0]); ?>')],
    ['a Word document with macros', DOCX, await docx(true)],
  ];
  const lying = [files, running].flatMap((list) =>
    list.map(([title, contentType, bytes]): Specimen => ({
      ...{ title, contentType, bytes },
      expected: list === files ? 'type-does-not-match' : 'type-not-allowed',
    })),
  );
  const flood = { expected: 'image-too-large' } as const;
  return [
    ...lying,
    { title: 'SVG', contentType: 'image/svg+xml', bytes: svg, expected: 'type-not-allowed' },
    { title: 'HTML', contentType: 'text/html', bytes: html, expected: 'type-not-allowed' },
    { ...flood, title: 'a pixel flood in PNG', contentType: 'image/png', bytes: await png(50_000, 50_000) },
    { ...flood, title: 'a pixel flood in JPEG', contentType: 'image/jpeg', bytes: await jpegFlood() },
    { ...flood, title: 'a pixel flood in WebP', contentType: 'image/webp', bytes: await webpFlood() },
  ];
}

async function jpegFlood(): Promise<Buffer> {
  const bytes = await image().jpeg().toBuffer();
  bytes.writeUInt32BE(0xffffffff, bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5);
  return bytes;
}

async function webpFlood(): Promise<Buffer> {
  const bytes = await image().webp().toBuffer();
  bytes.writeUInt32LE(0x3fff3fff, 26);
  return bytes;
}
