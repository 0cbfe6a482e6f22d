import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { WebFile, WebPages } from '../../http/routes/web.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const PAGE = 'index.html';
const SERVICE_WORKER = 'service-worker.js';

/** Reads the pages that `tools/build.ts` made, to be sent from memory. Resolves with undefined if it did not run. */
export async function readWebPages(folder: string): Promise<WebPages | undefined> {
  const names = await readdir(folder).catch(() => []);
  const files = new Map<string, WebFile>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const [bytes, gzip] = await Promise.all([
      readFile(join(folder, name)),
      readFile(join(folder, `${name}.gz`)),
    ]);
    files.set(name, { type, bytes, gzip });
  }
  const page = files.get(PAGE);
  const serviceWorker = files.get(SERVICE_WORKER);
  if (!page || !serviceWorker) return undefined;
  files.delete(PAGE);
  files.delete(SERVICE_WORKER);
  return { page, serviceWorker, files };
}
