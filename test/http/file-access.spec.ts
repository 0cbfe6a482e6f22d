import type { Actor } from '../../src/commands/command.ts';
import { FileId } from '../../src/events/ids.ts';
import { deleted, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  cleared,
  event,
  eve,
  fileId,
  fileRefused,
  group,
  joined,
  left,
  removed,
  uploadRequested,
  uploaded,
  uuid,
} from '../support/language/example-events.ts';
import { type FileStage, openFileStage } from '../support/stages/file-stage.ts';
import { happened } from '../support/language/history.ts';

let stage: FileStage;
beforeEach(async () => {
  stage = await openFileStage();
  await happened(stage.store, ...group, uploadRequested);
});
afterEach(() => stage.close());

/** Appends events; access is checked against the log, even when read models lag. */
const happens = (...events: Parameters<typeof happened>[1][]) => happened(stage.store, ...events);
const naming = (n: number) => event('MessageSent', { ...said(n).data, fileIds: [fileId] });

async function sees({ userId }: Actor, id = fileId): Promise<string> {
  try {
    return (await stage.access(id, userId)).state.status;
  } catch (error) {
    return (error as Error).message;
  }
}
const everybody = async () => [await sees(ada), await sees(bob), await sees(acme), await sees(eve)];

describe('access to a file', () => {
  test('is limited to the uploader before a message names the file', async () =>
    expect(await everybody()).toEqual(['pending', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND']));

  test('includes the members of the group once a message names the file, clean or not', async () => {
    await happens(uploaded, naming(1));
    expect(await everybody()).toEqual(['scanning', 'scanning', 'scanning', 'FILE_NOT_FOUND']);
    await happens(cleared);
    expect(await everybody()).toEqual(['clean', 'clean', 'clean', 'FILE_NOT_FOUND']);
  });

  test('ends for a member who leaves and begins for a new member, both at once', async () => {
    await happens(uploaded, cleared, naming(1));
    expect(await sees(bob)).toBe('clean');
    await happens(removed(bob), joined(eve));
    expect(await everybody()).toEqual(['clean', 'FILE_NOT_FOUND', 'clean', 'clean']);
  });

  test('stays with the uploader, even after leaving the group', async () => {
    await happens(uploaded, cleared, naming(1), left(ada));
    expect(await sees(ada)).toBe('clean');
  });

  test('ends for other members with the last message that names the file', async () => {
    await happens(uploaded, cleared, naming(1), naming(2), deleted(1));
    expect(await sees(bob)).toBe('clean');
    await happens(deleted(2));
    expect(await everybody()).toEqual(['clean', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND']);
  });

  test('is limited to the uploader for an abandoned file', async () => {
    await happens(fileRefused('never-completed'));
    expect(await everybody()).toEqual(['refused', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND', 'FILE_NOT_FOUND']);
  });

  test('is refused to every caller for a file that does not exist', async () =>
    expect(await sees(ada, FileId.parse(uuid(0x61)))).toBe('FILE_NOT_FOUND'));

  test('is decided for the uploader only while the read model is behind', async () => {
    await stage.projections.stop();
    await happens(naming(1));
    expect(await sees(ada)).toBe('pending');
    expect(await sees(eve)).toBe('FILE_NOT_FOUND');
    expect(await sees(bob)).toMatch(/did not reach/);
  });
});
