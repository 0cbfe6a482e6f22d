import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../files/corpus');

/** A file made by a real program, see test/files/corpus/make.py. */
export interface RealFile {
  name: string;
  /** The type that a browser declares; empty when it knows none. */
  contentType: string;
  /** The type of a clean file, the reason of a refused one, or the status of a refused request. */
  expected: string;
  bytes: Buffer<ArrayBuffer>;
}

export const realFiles = (): RealFile[] =>
  readFileSync(join(FOLDER, 'manifest.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name = '', contentType = '', expected = ''] = line.split('\t');
      return { name, contentType, expected, bytes: readFileSync(join(FOLDER, 'files', name)) };
    });
