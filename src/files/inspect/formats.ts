/** Text has no magic number: it is recognized by the bytes that it does not contain. */
export const TEXT = 'text';

export interface Format {
  /** The name of the type in the API. */
  type: string;
  /** In lower case, without the dot. The first is appended to a name that has none of them. */
  extensions: readonly [string, ...string[]];
  /** Other names of the type that mean no other format. */
  aliases?: readonly string[];
  /** Types that systems report for files with these extensions alone. */
  saidOf?: readonly string[];
  /** The names that `file-type` gives to such bytes; `type` by default. */
  bytes?: typeof TEXT | readonly string[];
  isArchive?: true;
  isCompound?: true;
}

export const OFFICE = 'application/vnd.openxmlformats-officedocument';
export const OPEN_DOCUMENT = 'application/vnd.oasis.opendocument';
const ZIPS = ['application/zip', 'application/x-zip-compressed', 'application/x-zip'];
const HEIF = ['image/heic', 'image/heic-sequence', 'image/heif', 'image/heif-sequence'];
const SOUND_OF_MP4 = ['audio/mp4', 'audio/x-m4a', 'video/mp4'];

const APPLE = ['pages', 'numbers', 'keynote'].map((program) => `application/vnd.apple.${program}`);

const ofOffice = (family: string, extension: string, old: string): Format => ({
  type: `${OFFICE}.${family}`,
  extensions: [extension],
  saidOf: [...ZIPS, old],
  isArchive: true,
});
const openDocument = (family: string, extension: string): Format => ({
  type: `${OPEN_DOCUMENT}.${family}`,
  extensions: [extension],
  aliases: [`application/x-vnd.oasis.opendocument.${family}`],
  saidOf: ZIPS,
  isArchive: true,
});
const compound = (type: string, extension: string, aliases: readonly string[]): Format => ({
  ...{ type, extensions: [extension], aliases },
  bytes: ['application/x-cfb'],
  isCompound: true,
});
const apple = (program: string, extension: string): Format => ({
  type: `application/vnd.apple.${program}`,
  extensions: [extension],
  aliases: [`application/x-iwork-${program}-sff${extension}`],
  saidOf: ZIPS,
  // A document with a table looks like a spreadsheet.
  bytes: APPLE,
  isArchive: true,
});

/**
 * The formats that may be uploaded: nothing that a browser would run when it opens it (HTML, SVG, XML,
 * scripts) and nothing that an operating system would run (programs, macros). The first format that fits is
 * used.
 */
export const FORMATS: readonly Format[] = [
  {
    type: 'image/jpeg',
    extensions: ['jpg', 'jpeg', 'jpe', 'jfif', 'pjpeg', 'pjp'],
    aliases: ['image/jpg', 'image/pjpeg', 'image/jfif', 'image/x-citrix-jpeg'],
  },
  {
    type: 'image/png',
    extensions: ['png', 'apng'],
    aliases: ['image/x-png', 'image/apng', 'image/vnd.mozilla.apng', 'image/x-citrix-png'],
    bytes: ['image/png', 'image/apng'],
  },
  { type: 'image/gif', extensions: ['gif'] },
  { type: 'image/webp', extensions: ['webp'] },
  { type: 'image/heic', extensions: ['heic', 'heics', 'hif'], aliases: ['image/heic-sequence'], bytes: HEIF },
  { type: 'image/heif', extensions: ['heif', 'heifs'], aliases: ['image/heif-sequence'], bytes: HEIF },
  // Some programs write the brand of all pictures in that container first.
  { type: 'image/avif', extensions: ['avif', 'avifs'], bytes: ['image/avif', 'image/heif'] },
  {
    type: 'application/pdf',
    extensions: ['pdf'],
    aliases: [
      'application/x-pdf',
      'application/acrobat',
      'application/vnd.pdf',
      'application/x-bzpdf',
      'text/pdf',
      'text/x-pdf',
    ],
  },
  {
    type: 'application/rtf',
    extensions: ['rtf'],
    aliases: ['text/rtf', 'application/x-rtf', 'text/richtext'],
    saidOf: ['application/msword'],
  },
  ofOffice('wordprocessingml.document', 'docx', 'application/msword'),
  ofOffice('spreadsheetml.sheet', 'xlsx', 'application/vnd.ms-excel'),
  ofOffice('presentationml.presentation', 'pptx', 'application/vnd.ms-powerpoint'),
  openDocument('text', 'odt'),
  openDocument('spreadsheet', 'ods'),
  openDocument('presentation', 'odp'),
  apple('pages', 'pages'),
  apple('numbers', 'numbers'),
  apple('keynote', 'key'),
  compound('application/msword', 'doc', [
    'application/doc',
    'application/x-msword',
    'application/vnd.msword',
  ]),
  compound('application/vnd.ms-excel', 'xls', [
    'application/msexcel',
    'application/x-msexcel',
    'application/xls',
  ]),
  compound('application/vnd.ms-powerpoint', 'ppt', ['application/mspowerpoint', 'application/powerpoint']),
  { type: 'text/plain', extensions: ['txt', 'text', 'log'], bytes: TEXT },
  {
    type: 'text/csv',
    extensions: ['csv'],
    aliases: ['application/csv', 'text/x-csv', 'application/x-csv', 'text/comma-separated-values'],
    saidOf: ['application/vnd.ms-excel', 'application/msexcel', 'text/plain'],
    bytes: TEXT,
  },
  {
    type: 'text/markdown',
    extensions: ['md', 'markdown'],
    aliases: ['text/x-markdown'],
    saidOf: ['text/plain'],
    bytes: TEXT,
  },
  { type: 'application/zip', extensions: ['zip'], aliases: ZIPS.slice(1), isArchive: true },
  {
    type: 'audio/mpeg',
    extensions: ['mp3'],
    aliases: ['audio/mp3', 'audio/x-mp3', 'audio/mpeg3', 'audio/x-mpeg'],
  },
  {
    type: 'audio/wav',
    extensions: ['wav'],
    aliases: ['audio/x-wav', 'audio/wave', 'audio/vnd.wave', 'audio/x-pn-wav'],
  },
  {
    type: 'audio/ogg',
    extensions: ['ogg', 'oga', 'opus'],
    aliases: ['audio/opus', 'audio/vorbis', 'application/ogg'],
    saidOf: ['video/ogg'],
    bytes: ['audio/ogg', 'audio/ogg; codecs=opus'],
  },
  {
    type: 'video/mp4',
    extensions: ['mp4', 'm4v'],
    aliases: ['video/x-m4v'],
    bytes: ['video/mp4', 'video/x-m4v'],
  },
  // Containers with sound alone look like those of films.
  {
    type: 'audio/mp4',
    extensions: ['m4a', 'mp4'],
    aliases: ['audio/x-m4a', 'audio/m4a'],
    saidOf: ['video/mp4'],
    bytes: SOUND_OF_MP4,
  },
  { type: 'video/quicktime', extensions: ['mov', 'qt'] },
  { type: 'video/webm', extensions: ['webm'] },
  { type: 'audio/webm', extensions: ['webm', 'weba'], bytes: ['video/webm'] },
];
