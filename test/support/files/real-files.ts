import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../files/corpus');

/** A file that a program made, see test/files/corpus/make.py. */
export interface RealFile {
  name: string;
  /** What a browser says it is; empty where it does not know. */
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
