import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErasedPeople, ErasedPerson } from '../../privacy/erased-people.ts';
import { syncFolder } from './objects.ts';

/** Creates the list of erased people in a file: one JSON object in each line, appended and never changed. */
export function createErasedPeopleFile(path: string): ErasedPeople {
  async function all(): Promise<ErasedPerson[]> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    // A crash may have left a beginning of the last line. What it named is added again.
    return text.split('\n').flatMap((line) => {
      try {
        return ErasedPerson.parse(JSON.parse(line));
      } catch {
        return [];
      }
    });
  }

  return {
    all,
    async add(person) {
      const { userId, erasureId } = person;
      if ((await all()).some((known) => known.userId === userId)) return;
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a', 0o600);
      try {
        // Begins a new line, in case the last one was cut off.
        await file.writeFile(`\n${JSON.stringify({ userId, erasureId })}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(dirname(path));
    },
  };
}
