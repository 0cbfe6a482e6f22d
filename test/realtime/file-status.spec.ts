import { FileId } from '../../src/events/ids.ts';
import { fileStream } from '../../src/events/streams.ts';
import { cleared, event, fileRefused, upload, uuid } from '../support/language/example-events.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';

describe('fileStatusChanged', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  test('is sent to all sockets of the uploader for each of their files, and to no other member', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two, other] = [
      await world.client(alice),
      await world.client(alice),
      await world.client(bob),
    ] as const;
    const [fine, bad] = [FileId.parse(uuid(0x61)), FileId.parse(uuid(0x62))];
    const of = (fileId: FileId) => ({ fileId, groupId, uploaderId: alice });
    for (const fileId of [fine, bad])
      await world.record(
        fileStream(fileId),
        event('FileUploadRequested', { ...of(fileId), ...upload }),
        event('FileUploaded', { ...of(fileId), etag: 'first' }),
      );
    await world.record(fileStream(fine), event('FileCleared', { ...cleared.data, ...of(fine) }));
    await world.record(
      fileStream(bad),
      event('FileRefused', { ...fileRefused('infected', 'Eicar').data, ...of(bad) }),
    );
    const news = [
      { fileId: fine, status: 'scanning' },
      { fileId: bad, status: 'scanning' },
      { fileId: fine, status: 'clean' },
      { fileId: bad, status: 'infected', reason: 'infected' },
    ];
    for (const client of [one, two]) {
      await client.hears('fileStatusChanged', ({ status }) => status === 'infected');
      expect(client.all('fileStatusChanged')).toEqual(news);
    }
    await one.send(groupId, 'What did you hear?');
    await other.hears('messageSent');
    expect(other.all('fileStatusChanged')).toEqual([]);
  });
});
