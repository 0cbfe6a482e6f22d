import { type ErasedPeople, ErasedPerson } from '../../privacy/erased-people.ts';
import type { S3Credentials } from './client.ts';
import { type S3FolderSettings, openS3Folder } from './folder.ts';

const nameOf = ({ userId, erasureId }: ErasedPerson) => `${userId}.${erasureId}.json`;

/** Returns the person that an object's name denotes; undefined for any other object in the folder. */
function personOf(name: string): ErasedPerson | undefined {
  const [userId, erasureId] = name.split('.');
  const person = ErasedPerson.safeParse({ userId, erasureId }).data;
  return person && name === nameOf(person) ? person : undefined;
}

/**
 * Creates the list of erased people in a folder of a bucket: one object for each, whose name has the ids, so that a list of
 * names is the whole list. Needs s3:PutObject and s3:ListBucket. Rejects with `StorageUnavailable`.
 */
export function createS3ErasedPeople(
  settings: S3FolderSettings,
  { credentials }: { credentials?: S3Credentials } = {},
): ErasedPeople & { close(): void } {
  const folder = openS3Folder(settings, credentials);
  return {
    async add({ userId, erasureId }) {
      const { names } = await folder.list({ beginning: `${userId}.`, limit: 1 });
      if (names.length > 0) return;
      await folder.add(nameOf({ userId, erasureId }), JSON.stringify({ userId, erasureId }));
    },

    async all() {
      const people: ErasedPerson[] = [];
      let next: string | undefined;
      do {
        const page = await folder.list({ next });
        people.push(...page.names.flatMap((name) => personOf(name) ?? []));
        ({ next } = page);
      } while (next !== undefined);
      return people;
    },

    close: () => folder.close(),
  };
}
