import { randomUUID } from 'node:crypto';
import { type TestApp, startApp } from '../../support/stages/app.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../../support/stages/board.ts';

interface Message {
  id: string;
  seq: number;
  text: string | null;
}

describe('a conversation', () => {
  let app: TestApp;
  let cast: Cast;
  let board: Board;
  beforeAll(async () => {
    app = await startApp();
    cast = await gatherCast(app);
  });
  beforeEach(async () => {
    board = await setUpBoard(app, cast);
  });
  afterAll(() => app.stop());

  const path = (rest = '') => `/v1/groups/${board.groupId}${rest}`;
  const say = async (text: string, more: object = {}) => {
    const body = { clientMsgId: randomUUID(), text, ...more };
    return (await app.ask('POST', path('/messages'), { as: cast.owner, body })).body;
  };
  const see = async (rest: string, as = cast.member, position?: unknown) =>
    (
      await app.ask('GET', path(rest), {
        as,
        headers: position ? { 'x-min-position': position as string } : {},
      })
    ).body;
  const seqs = (page: Record<string, unknown>) => (page['data'] as Message[]).map(({ seq }) => seq);

  test('gives messages, edits, reactions and deletions one seq without holes, and shows them at once', async () => {
    const message = path(`/messages/${board.messageId}`);
    const heart = `${message}/reactions/${encodeURIComponent('❤️')}`;
    const changes = [
      await app.ask('PATCH', message, { as: cast.member, body: { text: 'Hello, world' } }),
      await app.ask('PUT', heart, { as: cast.owner }),
      await app.ask('PUT', heart, { as: cast.member }),
      await app.ask('DELETE', heart, { as: cast.owner }),
    ];
    expect(changes.map(({ status, body }) => [status, body['seq']])).toStrictEqual([
      [200, 2],
      [200, 3],
      [200, 4],
      [200, 5],
    ]);
    const page = await see('/messages', cast.member, changes.at(-1)!.body['position']);
    expect(page).toMatchObject({
      headSeq: 5,
      hasMore: false,
      data: [
        {
          id: board.messageId,
          groupId: board.groupId,
          seq: 1,
          senderId: cast.member.userId,
          text: 'Hello, world',
          files: [expect.objectContaining({ fileId: board.fileId })],
          replyTo: null,
          reactions: { '❤️': [cast.member.userId] },
          editedAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
          deletedAt: null,
        },
      ],
    });
    const again = await app.ask('DELETE', heart, { as: cast.owner });
    expect(again.body).toMatchObject({ seq: 5 });
    const deleted = await app.ask('DELETE', message, { as: cast.admin });
    expect(deleted.body).toMatchObject({ seq: 6 });
    expect(await see('/messages', cast.member, deleted.body['position'])).toMatchObject({
      data: [{ seq: 1, text: null, deletedAt: expect.any(String) }],
    });
    expect((await app.ask('PATCH', message, { as: cast.member, body: { text: 'Back' } })).body).toMatchObject(
      {
        code: 'MESSAGE_DELETED',
      },
    );
  });

  test('accepts an emoji of several code points, but not a word', async () => {
    const react = (emoji: string) =>
      app.ask('PUT', path(`/messages/${board.messageId}/reactions/${encodeURIComponent(emoji)}`), {
        as: cast.member,
      });
    for (const emoji of ['👨‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '👩🏽‍❤️‍💋‍👨🏿']) expect((await react(emoji)).status).toBe(200);
    for (const none of ['ok', '👍👍', ' ']) expect((await react(none)).status).toBe(400);
  });

  test('is paged from the newest, or before, after or around a seq', async () => {
    let position: unknown;
    for (let n = 2; n <= 10; n += 1) ({ position } = await say(`Message ${n}`));
    expect(seqs(await see('/messages?limit=3', cast.member, position))).toStrictEqual([8, 9, 10]);
    expect(await see('/messages?limit=3&beforeSeq=4')).toMatchObject({ hasMore: false, headSeq: 10 });
    expect(seqs(await see('/messages?limit=3&beforeSeq=8'))).toStrictEqual([5, 6, 7]);
    expect(seqs(await see('/messages?limit=3&afterSeq=4'))).toStrictEqual([5, 6, 7]);
    expect(seqs(await see('/messages?limit=3&aroundSeq=5'))).toStrictEqual([4, 5, 6]);
    expect(seqs(await see('/messages?afterSeq=10'))).toStrictEqual([]);
  });

  test('names the sender of each message, and tells the sender alone which id it had chosen', async () => {
    const clientMsgId = randomUUID();
    const { position, messageId } = await say('Hello', { clientMsgId });
    const sender = { id: cast.owner.userId, displayName: 'Acme' };
    const seen = async (as: typeof cast.owner) => [
      ((await see('/messages', as, position))['data'] as Message[])[1],
      (await see('', as))['lastMessage'],
      await see(`/messages/${String(messageId)}`, as),
    ];
    for (const each of await seen(cast.owner))
      expect(each).toMatchObject({ seq: 2, text: 'Hello', sender, senderId: sender.id, clientMsgId });
    for (const each of await seen(cast.member)) {
      expect(each).toMatchObject({ seq: 2, sender });
      expect(each).not.toHaveProperty('clientMsgId');
    }
  });

  test('shows one message to members, and none that is not in the group', async () => {
    const { position } = await say('Two');
    expect(await see(`/messages/${board.messageId}`, cast.member, position)).toMatchObject({
      ...{ id: board.messageId, seq: 1, text: 'Hello', replyTo: null, replyToSeq: null },
      files: [expect.objectContaining({ fileId: board.fileId })],
    });
    expect(await see(`/messages/${randomUUID()}`)).toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    const other = await setUpBoard(app, cast);
    expect(await see(`/messages/${other.messageId}`, cast.member, other.position)).toMatchObject({
      code: 'MESSAGE_NOT_FOUND',
    });
    expect(await see(`/messages/${board.messageId}`, cast.stranger)).toMatchObject({
      code: 'GROUP_NOT_FOUND',
    });
    expect(await see('/messages/none')).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  test('accepts a reply to a message of the same group only', async () => {
    const replied = await say('Yes', { replyTo: board.messageId });
    expect(await see('/messages', cast.member, replied['position'])).toMatchObject({
      data: [
        { replyTo: null, replyToSeq: null },
        { replyTo: board.messageId, replyToSeq: 1 },
      ],
    });
    expect(await say('What?', { replyTo: randomUUID() })).toMatchObject({ code: 'REPLY_TARGET_NOT_FOUND' });
  });

  test('counts messages of others as unread until they are read; the marker never moves back, nor past the head', async () => {
    const { position } = await say('One');
    await say('Two');
    const read = async (seq: number) =>
      (await app.ask('PUT', path('/read'), { as: cast.member, body: { seq } })).body['unreadCount'];
    expect(await see('', cast.member, position)).toMatchObject({ memberCount: 3, myRole: 'member' });
    expect([await read(0), await read(2), await read(1), await read(99)]).toStrictEqual([2, 1, 1, 0]);
    expect(await see('')).toMatchObject({ unreadCount: 0, headSeq: 3, lastMessage: { text: 'Two' } });
    expect(await see('/members')).toMatchObject({
      data: expect.arrayContaining([
        expect.objectContaining({
          userId: cast.member.userId,
          displayName: 'Ada',
          role: 'member',
          readSeq: 3,
        }),
        expect.objectContaining({ userId: cast.owner.userId, role: 'admin', online: false }),
      ]),
    });
    const { position: later } = await say('Three');
    expect(await see('', cast.member, later)).toMatchObject({ unreadCount: 1 });
  });

  test("is searched in the caller's own groups only", async () => {
    const word = randomUUID().replaceAll('-', '');
    const { messageId, position } = await say(`The ${word} is here`);
    const find = async (as = cast.member) => {
      const { body } = await app.ask('GET', `/v1/search/messages?q=${word}`, {
        as,
        headers: { 'x-min-position': position as string },
      });
      return (body['data'] as Message[]).map(({ id }) => id);
    };
    expect([await find(), await find(cast.stranger), await find(cast.exMember)]).toStrictEqual([
      [messageId],
      [],
      [],
    ]);
  });

  test('is closed to a removed member at once; the last admin stays', async () => {
    const remove = (userId: string, as = cast.owner) => app.ask('DELETE', path(`/members/${userId}`), { as });
    expect((await remove(cast.member.userId)).status).toBe(200);
    for (const rest of ['', '/members', '/messages'])
      expect(await see(rest)).toMatchObject({ status: 404, code: 'GROUP_NOT_FOUND' });
    expect((await remove(cast.member.userId)).body).toMatchObject({ code: 'MEMBER_NOT_FOUND' });
    const back = await app.ask('POST', path('/members'), {
      as: cast.owner,
      body: { userId: cast.member.userId },
    });
    expect(back.status).toBe(200);
    expect(await see('')).toMatchObject({ myRole: 'member' });
    expect((await remove(cast.admin.userId, cast.admin)).status).toBe(200);
    expect((await remove(cast.owner.userId)).body).toMatchObject({ status: 409, code: 'LAST_ADMIN' });
  });
});
