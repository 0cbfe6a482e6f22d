import type { EventOf } from '../../src/events/domain-event.ts';
import { FileId } from '../../src/events/ids.ts';
import { deleted, messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  aboutFile,
  cleared,
  event,
  fileRefused,
  group,
  groupId,
  otherGroupId,
  registered,
  upload,
  uploaded,
  uuid,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

let side: ReadSide;
const id = (n: number) => FileId.parse(uuid(0x600 + n));
const of = <E extends EventOf<'FileUploaded' | 'FileCleared' | 'FileRefused'>>(n: number, each: E): E => ({
  ...each,
  data: { ...each.data, fileId: id(n) },
});
const requested = (n: number) =>
  event('FileUploadRequested', { ...aboutFile, ...upload, fileId: id(n), name: `${n}.pdf` });
const naming = (n: number, ...fileIds: FileId[]) => event('MessageSent', { ...said(n).data, fileIds });

beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    registered(acme, 'Acme'),
    registered(ada, 'Ada'),
    ...group,
    ...[1, 2, 3, 4, 5, 6, 7].map(requested),
    ...[2, 3, 4, 5, 6].map((n) => of(n, uploaded)),
    of(3, { ...cleared, data: { ...cleared.data, hasThumbnail: true } }),
    of(4, fileRefused('infected', 'Eicar')),
    of(5, cleared),
    naming(1, id(4), id(3), id(7)),
    said(2),
    naming(3, id(5)),
    naming(4, id(6), id(99)),
    deleted(3),
  );
});
afterAll(() => side.close());

describe('a message with files', () => {
  const history = async () =>
    (await side.queries.messageHistory({ userId: ada.userId, groupId, limit: 50 })).data;
  const shown = { contentType: upload.contentType, size: upload.size, hasThumbnail: false };

  test('shows the status of each, in its own order', async () => {
    const [first, second] = await history();
    expect(first!.files).toEqual([
      { ...shown, fileId: id(4), name: '4.pdf', status: 'infected' },
      { ...shown, fileId: id(3), name: '3.pdf', status: 'clean', hasThumbnail: true },
      { ...shown, fileId: id(7), name: '7.pdf', status: 'pending' },
    ]);
    expect(second!.files).toEqual([]);
  });

  test('shows none once it is deleted', async () => {
    const [, , third] = await history();
    expect(third).toMatchObject({ id: messageNumber(3), files: [], text: null });
  });

  test('shows an unknown file as pending', async () => {
    const last = (await history()).at(-1)!;
    expect(last.files).toEqual([
      { ...shown, fileId: id(6), name: '6.pdf', status: 'scanning' },
      {
        fileId: id(99),
        name: '',
        contentType: 'application/octet-stream',
        size: 0,
        status: 'pending',
        hasThumbnail: false,
      },
    ]);
  });

  test('shows them in the list of groups and in a search, too', async () => {
    const own = await side.queries.getGroup({ userId: ada.userId, groupId });
    expect(own.lastMessage!.files).toHaveLength(2);
    const found = await side.queries.searchMessages({ userId: ada.userId, q: '"message 1"', limit: 10 });
    expect(found.data.map(({ files }) => files.length)).toEqual([3]);
  });
});

describe('the file queries', () => {
  test('list uploaded files for inspection, up to a limit', async () => {
    expect((await side.queries.filesToInspect(10)).toSorted()).toEqual([id(2), id(6)]);
    expect(await side.queries.filesToInspect(1)).toHaveLength(1);
  });

  test('list old files as orphans that were never completed or never attached to a message', async () => {
    const orphans = async (before: string) =>
      (await side.queries.orphans(new Date(before), 10)).toSorted((a, b) => (a.fileId < b.fileId ? -1 : 1));
    const asked = '2026-01-02T03:04:05.678Z';
    expect(await orphans(asked)).toEqual([]);
    expect(await orphans('2026-01-02T03:04:05.679Z')).toEqual([
      { fileId: id(1), status: 'pending' },
      { fileId: id(5), status: 'clean' },
      { fileId: id(7), status: 'pending' },
    ]);
    expect(await side.queries.orphans(new Date('2027-01-01'), 1)).toHaveLength(1);
  });

  test('tell which files a message of their group names', async () => {
    const files = [1, 3, 4, 5, 6].map((n) => ({ fileId: id(n), groupId: n === 4 ? otherGroupId : groupId }));
    expect(await side.queries.namedFiles(files)).toEqual(
      new Map([
        [id(3), []],
        [id(6), []],
      ]),
    );
  });

  test('report whether a message that was not deleted names a file', async () => {
    const isNamed = (n: number, inGroup = groupId) =>
      side.queries.isNamed({ fileId: id(n), groupId: inGroup, userId: ada.userId });
    expect(await Promise.all([isNamed(3), isNamed(1), isNamed(5), isNamed(3, otherGroupId)])).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
