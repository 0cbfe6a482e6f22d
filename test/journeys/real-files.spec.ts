import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import { realFiles } from '../support/files/real-files.ts';
import { type Upload, filesOf, put } from '../support/files/uploads.ts';

/**
 * A selection: files of every program, with types invented by operating systems, and with misleading names.
 */
const CHOSEN = [
  ...['libreoffice-hybrid.pdf', 'line-break-first.pdf', 'qpdf-attachment-stored.pdf', 'tex-no-type.pdf'],
  ...[
    'excel-unicode.csv',
    'python-excel.csv',
    'python-no-type.csv',
    'libreoffice-word.rtf',
    'libreoffice.doc',
  ],
  ...[
    'libreoffice.docx',
    'content-types-last.docx',
    'imagemagick-alias.jpg',
    'imagemagick.heic',
    'libheif.avif',
  ],
  ...['iwork-no-type.pages', 'infozip-stored.zip', 'pillow', 'README', 'notes.v2'],
  ...['qpdf-locked.pdf', 'archive-behind.pdf', 'vba.docx', 'elf', 'pe.pdf', 'utf16-page.txt', 'unknown.xyz'],
  ...['cv.bat', 'cv.html', 'drawing.svg', 'conflict.pdf'],
];

/** The files that are saved under another name than the uploaded one. */
const NAMES: Record<string, string> = {
  pillow: 'pillow.png',
  README: 'README.txt',
  'notes.v2': 'notes.v2.txt',
};

describe('files of real programs, with a scanner', () => {
  let dataDir: string;
  let clamd: Clamd;
  let app: TestApp;
  let ada: Person;
  let groupId: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'chat-files-'));
    clamd = await startClamd();
    app = await startApp({ DATA_DIR: dataDir, CLAMD_URL: clamd.url });
    const acme = await app.register('company', 'Acme');
    ada = await app.register('applicant', 'Ada');
    const body = { title: 'Engineer', description: 'x' };
    const posted = await app.ask('POST', '/v1/jobs', { as: acme, body });
    groupId = posted.body['groupId'] as string;
    const applied = await app.ask('POST', '/apply', { as: ada, body: { jobId: posted.body['jobId'] } });
    expect(applied.status).toBe(201);
  }, 60_000);

  afterAll(async () => {
    await app?.stop();
    await clamd?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('are accepted and saved under a suitable name, or refused with a reason', async () => {
    const chosen = realFiles().filter(({ name }) => CHOSEN.includes(name));
    expect(chosen).toHaveLength(CHOSEN.length);
    const files = filesOf(app, ada);
    const saved: Record<string, string> = {};
    const found: Record<string, string> = {};
    for (const { name, contentType, bytes } of chosen) {
      const body = { groupId, name, contentType, size: bytes.length };
      const asked = await app.ask('POST', '/v1/files', { as: ada, body });
      if (asked.status !== 201) {
        found[name] = String(asked.status);
        continue;
      }
      const { fileId, upload } = asked.body as unknown as { fileId: string; upload: Upload };
      expect((await put(upload, new Uint8Array(bytes))).status).toBe(200);
      await files.complete(fileId);
      const file = await files.settled(fileId);
      found[name] = file.reason ?? file.contentType;
      if (!file.url) continue;
      const download = await fetch(file.url);
      expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
      const header = download.headers.get('content-disposition')!;
      saved[name] = /filename="?([^"]+)"?/.exec(header)![1]!;
      expect(file.name).toBe(saved[name]);
      expect(download.headers.get('content-type')).toBe(file.contentType);
      const isMadeSmaller = /^image\/(jpeg|png)$/.test(file.contentType);
      expect([name, file.thumbnail !== undefined]).toEqual([name, isMadeSmaller]);
    }
    expect(found).toEqual(Object.fromEntries(chosen.map(({ name, expected }) => [name, expected])));
    const clean = chosen.filter(({ expected }) => expected.includes('/'));
    expect(saved).toEqual(Object.fromEntries(clean.map(({ name }) => [name, NAMES[name] ?? name])));
  }, 180_000);
});
