import { randomUUID } from 'node:crypto';
import { type Person, type TestApp, startApp } from '../../../support/stages/app.ts';
import { type LogServer, logKinds } from '../../../support/stages/log-servers.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../../../support/stages/board.ts';

describe.each(logKinds)('a look into the past, in $name', ({ open }) => {
  let log: LogServer;
  let app: TestApp;
  let cast: Cast;
  let board: Board;
  let auditor: Person;
  let headers: Record<string, string>;
  const moments: Record<string, string> = {};

  beforeAll(async () => {
    log = await open();
    app = await startApp(log.env);
    cast = await gatherCast(app);
    board = await setUpBoard(app, cast);
    auditor = await app.hireAuditor();
    const grant = { reason: 'A complaint', scope: { groupId: board.groupId }, minutes: 5 };
    const granted = await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body: grant });
    headers = { 'x-access-grant': String(granted.body['grantId']) };

    const messages = `/v1/groups/${board.groupId}/messages`;
    const note = async (name: string, method: string, path: string, as: Person, body?: unknown) => {
      const answer = await app.ask(method, path, { as, body });
      if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.text}`);
      moments[name] = String(answer.body['position']);
    };
    moments['sent'] = board.position;
    await note('edited', 'PATCH', `${messages}/${board.messageId}`, cast.member, { text: 'Hi' });
    await note('reacted', 'PUT', `${messages}/${board.messageId}/reactions/%F0%9F%91%8D`, cast.owner);
    for (let n = 2; n <= 5; n += 1)
      await note(`message ${n}`, 'POST', messages, cast.owner, {
        clientMsgId: randomUUID(),
        text: `No. ${n}`,
      });
    const removal = `/v1/groups/${board.groupId}/members/${cast.member.userId}`;
    await note('removed', 'DELETE', removal, cast.owner);
    await note('deleted', 'DELETE', `${messages}/${board.messageId}`, cast.owner);
  });
  afterAll(async () => {
    await app.stop();
    await log.close();
  });

  const look = async (path: string, asked = headers) => {
    const answer = await app.ask('GET', `/v1/audit/${path}`, { as: auditor, headers: asked });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body as Record<string, never> & { messages: object[]; readers: object[]; events: object[] };
  };
  const groupAt = (name: string, query = '') =>
    look(`groups/${board.groupId}?atPosition=${moments[name]}${query}`);

  test('shows a conversation as its members saw it then', async () => {
    const first = async (name: string) => (await groupAt(name)).messages[0];
    expect(await first('sent')).toMatchObject({ text: 'Hello', editedAt: null, reactions: {} });
    expect(await first('edited')).toMatchObject({ text: 'Hi', editedAt: expect.any(String), reactions: {} });
    expect(await first('reacted')).toMatchObject({ text: 'Hi', reactions: { '👍': [cast.owner.userId] } });
    expect(await first('deleted')).toMatchObject({ text: null, files: [], reactions: {} });
    expect((await look(`groups/${board.groupId}`)).messages[0]).toMatchObject({ text: null });
  });

  test('shows the files as they were then', async () => {
    const { messages } = await groupAt('sent');
    expect(messages).toMatchObject([{ files: [{ id: board.fileId, name: 'cv.txt', status: 'pending' }] }]);
  });

  test('shows who could read it then, and since when', async () => {
    const readers = async (name: string) =>
      (await groupAt(name)).readers.map((reader) => (reader as { userId: string }).userId);
    expect(await readers('sent')).toContain(cast.member.userId);
    expect(await readers('sent')).not.toContain(cast.exMember.userId);
    expect(await readers('removed')).toStrictEqual([cast.owner.userId, cast.admin.userId]);
  });

  test('pages through the messages in both directions', async () => {
    const seqs = async (query: string) => {
      const { messages, hasMore, headSeq } = await groupAt('removed', query);
      return { seqs: messages.map((message) => (message as { seq: number }).seq), hasMore, headSeq };
    };
    // The edit and the reaction took 2 and 3.
    expect(await seqs('&limit=2')).toStrictEqual({ seqs: [6, 7], hasMore: true, headSeq: 7 });
    expect(await seqs('&limit=2&beforeSeq=6')).toStrictEqual({ seqs: [4, 5], hasMore: true, headSeq: 7 });
    expect(await seqs('&limit=2&beforeSeq=4')).toStrictEqual({ seqs: [1], hasMore: false, headSeq: 7 });
    expect(await seqs('&limit=2&afterSeq=1')).toStrictEqual({ seqs: [4, 5], hasMore: true, headSeq: 7 });
    expect(await seqs('&limit=2&afterSeq=5')).toStrictEqual({ seqs: [6, 7], hasMore: false, headSeq: 7 });
    expect(await seqs('&afterSeq=7')).toStrictEqual({ seqs: [], hasMore: false, headSeq: 7 });
  });

  test('finds the moment by time as well', async () => {
    const stream = `conversation-${board.groupId}`;
    const { events } = await look(`streams/${stream}`);
    const times = events.map((event) => (event as { occurredAt: string }).occurredAt);
    const edit = times[1]!;
    const expected = times.findLastIndex((time) => time <= edit);
    expect(await look(`streams/${stream}?at=${edit}`)).toMatchObject({ revision: expected });
    const long = await app.ask('GET', `/v1/audit/groups/${board.groupId}?at=2020-01-01T00:00:00Z`, {
      as: auditor,
    });
    expect(long).toMatchObject({ status: 404, body: { code: 'GROUP_NOT_FOUND' } });
  });

  test('shows no text without a grant', async () => {
    for (const path of [
      `groups/${board.groupId}`,
      `streams/conversation-${board.groupId}`,
      `streams/file-${board.fileId}`,
    ])
      expect(JSON.stringify(await look(path, {}))).not.toMatch(/No\. 2|cv\.txt/);
    expect((await look(`groups/${board.groupId}`, {})).messages[1]).toMatchObject({ text: '[redacted]' });
    expect(await look(`streams/account-${cast.member.userId}`, {})).toMatchObject({
      state: { status: 'registered', displayName: '[redacted]', role: 'applicant' },
    });
  });

  test('folds each kind of stream up to a revision, with the events that led there', async () => {
    const stream = `chatGroup-${board.groupId}`;
    const before = await look(`streams/${stream}?atRevision=0`);
    expect(before).toMatchObject({
      stream,
      revision: 0,
      state: { status: 'open', companyId: cast.owner.userId },
      next: null,
    });
    expect(before.events).toHaveLength(1);
    const rest = await look(`streams/${stream}?afterRevision=0`);
    expect(rest.events[0]).toMatchObject({
      revision: 1,
      type: 'MemberJoined',
      recordedAt: expect.any(String),
    });
    const application = `application-${board.jobId}~${cast.exMember.userId}`;
    expect(await look(`streams/${application}?atRevision=0`)).toMatchObject({
      state: { status: 'submitted' },
    });
    expect(await look(`streams/${application}`)).toMatchObject({ state: { status: 'withdrawn' } });
    expect(await look(`streams/job-${board.jobId}`)).toMatchObject({ state: { status: 'open' } });
    expect(await look(`streams/grant-${headers['x-access-grant']}`)).toMatchObject({
      state: { status: 'granted' },
    });
    expect(await look(`streams/conversation-${board.groupId}?atRevision=1`)).toMatchObject({
      state: { headSeq: 2, messages: [{ text: 'Hi' }] },
    });
  });

  test('knows no stream that has no events', async () => {
    const answer = await app.ask('GET', `/v1/audit/streams/job-${randomUUID()}`, { as: auditor });
    expect(answer).toMatchObject({ status: 404, body: { code: 'STREAM_NOT_FOUND' } });
  });
});
