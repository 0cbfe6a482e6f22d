import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Sighting, type Witness, isNews, parseSighting } from '../../events/sightings.ts';

/** Creates the witness in a file, which remembers the log that was seen last. */
export function createLogWitnessFile(path: string): Witness {
  async function recall(log: string): Promise<Sighting | undefined> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const [of, ...rest] = text.split('\n');
    return of === log ? parseSighting(rest.join('\n')) : undefined;
  }

  return {
    recall,
    async note(log, { epoch, beganAt, position }) {
      if (!isNews(await recall(log), { epoch, beganAt, position })) return;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = `${path}.${randomUUID()}`;
      try {
        const file = await open(draft, 'wx', 0o600);
        try {
          await file.writeFile(`${log}\n${JSON.stringify({ epoch, beganAt, position })}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}
