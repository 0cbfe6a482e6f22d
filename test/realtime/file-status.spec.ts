import { randomUUID } from 'node:crypto';
import { FileId, GroupId, InvitationId, JobId, MessageId, type UserId } from '../../src/events/ids.ts';
import { chatGroupStream, companyStream, conversationStream, fileStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { cleared, event, fileRefused, upload, uuid } from '../support/language/example-events.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';

describe('fileStatusChanged', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  const [fine, bad] = [FileId.parse(uuid(0x61)), FileId.parse(uuid(0x62))];
  type File = { fileId: FileId; groupId: GroupId; uploaderId: UserId };

  const uploads = (file: File) =>
    world.record(
      fileStream(file.fileId),
      event('FileUploadRequested', { ...file, ...upload }),
      event('FileUploaded', { ...file, etag: 'first' }),
    );
  const clears = (file: File) =>
    world.record(fileStream(file.fileId), event('FileCleared', { ...cleared.data, ...file }));
  const refuses = (file: File) =>
    world.record(
      fileStream(file.fileId),
      event('FileRefused', { ...fileRefused('infected', 'Eicar').data, ...file }),
    );
  async function names({ groupId, uploaderId }: File, ...fileIds: FileId[]): Promise<MessageId> {
    const messageId = MessageId.parse(newId());
    const data = { groupId, messageId, senderId: uploaderId, fileIds, replyTo: null, text: 'See this' };
    await world.record(
      conversationStream(groupId),
      event('MessageSent', { ...data, clientMsgId: randomUUID() as never }),
    );
    return messageId;
  }

  test('is sent to all sockets of the uploader for each of their files, and to no other member before a message names it', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two, other] = [
      await world.client(alice),
      await world.client(alice),
      await world.client(bob),
    ] as const;
    const of = (fileId: FileId) => ({ fileId, groupId, uploaderId: alice });
    for (const fileId of [fine, bad]) await uploads(of(fileId));
    await clears(of(fine));
    await refuses(of(bad));
    const news = [
      { fileId: fine, groupId, status: 'scanning' },
      { fileId: bad, groupId, status: 'scanning' },
      { fileId: fine, groupId, status: 'clean' },
      { fileId: bad, groupId, status: 'infected', reason: 'infected' },
    ];
    for (const client of [one, two]) {
      await client.hears('fileStatusChanged', ({ status }) => status === 'infected');
      expect(client.all('fileStatusChanged')).toEqual(news);
    }
    // What is said of a file that a message names comes after all that.
    const named = { ...of(FileId.parse(newId())) };
    await names(named, named.fileId);
    await clears(named);
    expect(await other.hears('fileStatusChanged')).toEqual({
      fileId: named.fileId,
      groupId,
      status: 'clean',
    });
    expect(other.all('fileStatusChanged')).toHaveLength(1);
  });

  test('is sent to all members once a message names the file, and once to each socket', async () => {
    const [alice, bob, eve] = [newUser(), newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two, stranger] = [
      await world.client(alice),
      await world.client(bob),
      await world.client(eve),
    ] as const;
    const file = { fileId: bad, groupId, uploaderId: alice };
    await uploads(file);
    await names(file, bad);
    await refuses(file);
    const news = { fileId: bad, groupId, status: 'infected', reason: 'infected' };
    expect(await two.hears('fileStatusChanged', ({ status }) => status === 'infected')).toEqual(news);
    await one.send(groupId, 'Whatever');
    await one.hears('messageSent', ({ seq }) => seq === 2);
    for (const client of [one, two])
      expect(client.all('fileStatusChanged').filter(({ status }) => status === 'infected')).toEqual([news]);
    expect(stranger.all('fileStatusChanged')).toEqual([]);
  });

  test('is not sent to members who were removed, or when the message is deleted', async () => {
    const [alice, bob, carol] = [newUser(), newUser(), newUser()];
    const groupId = await world.group(alice, bob, carol);
    const [two, three] = [await world.client(bob), await world.client(carol)];
    const [removed, deleted] = [fine, bad].map((fileId) => ({ fileId, groupId, uploaderId: alice }));
    await names(removed!, fine);
    const messageId = await names(deleted!, bad);
    await world.record(conversationStream(groupId), event('MessageDeleted', { groupId, messageId }));
    await world.remove(groupId, bob);
    await clears(deleted!);
    await clears(removed!);
    await three.hears('fileStatusChanged', ({ fileId }) => fileId === fine);
    expect(three.all('fileStatusChanged')).toHaveLength(1);
    await two.hears('leaveRoom');
    expect(two.all('fileStatusChanged')).toEqual([]);
  });

  test('is not sent to members who do not see the message', async () => {
    await world.stop();
    const [alice, bob, late] = [newUser(), newUser(), newUser()];
    world = await createWorld({
      queries: { namedFiles: async (files) => new Map(files.map(({ fileId }) => [fileId, [late]])) },
    });
    const groupId = await world.group(alice, bob, late);
    const [two, three] = [await world.client(bob), await world.client(late)];
    await clears({ fileId: fine, groupId, uploaderId: alice });
    await two.hears('fileStatusChanged');
    await two.send(groupId, 'Whatever');
    await three.hears('messageSent');
    expect(three.all('fileStatusChanged')).toEqual([]);
  });

  test('does not say why a file was refused to people of the company who may not see it', async () => {
    const [acme, viewer, ada] = [newUser(), newUser(), newUser()];
    const [groupId, jobId] = [GroupId.parse(newId()), JobId.parse(newId())];
    const data = {
      groupId,
      jobId,
      name: 'Engineer',
      adminId: acme,
      kind: 'thread',
      applicantId: ada,
    } as const;
    await world.record(chatGroupStream(groupId), event('ChatGroupCreated', data));
    await world.join(groupId, ada);
    const place = { companyId: acme, userId: viewer, role: 'viewer', jobIds: null } as const;
    const invitationId = InvitationId.parse(newId());
    await world.record(companyStream(acme), event('TeammateJoined', { ...place, invitationId }));
    const of = (userId: UserId) => world.token(userId, { actor: { userId, role: 'company' } });
    const owner = await world.client(acme, { token: of(acme) });
    const mate = world.connect({ token: of(viewer) });
    await mate.asks('joinRoom', { groupId });
    const [clean, refused] = [fine, bad].map((fileId) => ({ fileId, groupId, uploaderId: ada }));
    await names(clean!, fine, bad);
    await clears(clean!);
    await refuses(refused!);
    await owner.hears('fileStatusChanged', ({ status }) => status === 'infected');
    await mate.hears('fileStatusChanged', ({ status }) => status === 'infected');
    expect(owner.all('fileStatusChanged')).toEqual([
      { fileId: fine, groupId, status: 'clean' },
      { fileId: bad, groupId, status: 'infected', reason: 'infected' },
    ]);
    expect(mate.all('fileStatusChanged')).toEqual([
      { fileId: fine, groupId, status: 'clean' },
      { fileId: bad, groupId, status: 'infected' },
    ]);
  });

  test('reaches the uploader, and the next members, although the read model is behind for a file', async () => {
    await world.stop();
    let isBehind = true;
    world = await createWorld({
      queries: {
        async namedFiles(files) {
          if (isBehind) throw new Error('behind');
          return new Map(files.map(({ fileId }) => [fileId, []]));
        },
      },
    });
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two] = [await world.client(alice), await world.client(bob)];
    await clears({ fileId: fine, groupId, uploaderId: alice });
    expect(await one.hears('fileStatusChanged')).toMatchObject({ fileId: fine });
    isBehind = false;
    await clears({ fileId: bad, groupId, uploaderId: alice });
    expect(await two.hears('fileStatusChanged')).toMatchObject({ fileId: bad });
  });
});
