import { randomUUID } from 'node:crypto';
import { type Socket, io } from 'socket.io-client';
import type {
  Ack,
  ClientToServerEvents,
  ServerToClientEvents,
} from '../../src/realtime/connection/protocol.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { joinCompany } from '../support/stages/board.ts';
import { TestClient } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

/** What a client learns without asking again, from the whole server. */
describe('a client that listens', () => {
  let app: TestApp;
  let acme: Person;
  let ada: Person;
  let bob: Person;
  const clients: TestClient[] = [];
  beforeAll(async () => {
    app = await startApp({});
    acme = await app.register('company', 'Acme');
    ada = await app.register('applicant', 'Ada');
    bob = await app.register('applicant', 'Bob');
  }, 60_000);
  afterAll(async () => {
    for (const { socket } of clients) socket.disconnect();
    await app?.stop();
  });

  async function ok<T = Record<string, string>>(as: Person, method: string, path: string, body?: object) {
    const answer = await app.ask(method, path, { as, ...(body && { body }) });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body as unknown as T;
  }
  async function listen({ accessToken }: Person): Promise<TestClient> {
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(app.url, {
      transports: ['websocket'],
      auth: { token: accessToken },
      forceNew: true,
    });
    const client = new TestClient(socket as Socket);
    clients.push(client);
    await until(() => socket.connected, 'the connection');
    return client;
  }
  const post = (body: object = {}) =>
    ok(acme, 'POST', '/v1/jobs', { title: 'Engineer', description: 'x', ...body });
  const apply = (as: Person, jobId: string) => ok(as, 'POST', `/v1/jobs/${jobId}/applications`, {});
  const say = (as: Person, groupId: string, text: string) =>
    ok(as, 'POST', `/v1/groups/${groupId}/messages`, { clientMsgId: randomUUID(), text });

  test('keeps a list of members, from a page of it and what sync adds', async () => {
    const job = await post();
    const groupId = job['groupId']!;
    await apply(ada, job['jobId']!);
    const page = await ok<{ rosterHead: number; data: { userId: string }[] }>(
      acme,
      'GET',
      `/v1/groups/${groupId}/members`,
    );
    expect(page).toMatchObject({ rosterHead: 2 });
    await apply(bob, job['jobId']!);
    const client = await listen(acme);
    expect(await client.hears('joinRoom', (room) => room.groupId === groupId)).toMatchObject({
      rosterHead: 3,
    });
    const groups = [{ groupId, afterSeq: 0, afterRoster: page.rosterHead }];
    expect(await client.asks('sync', { groups })).toMatchObject({
      groups: [
        {
          roster: [{ type: 'MemberJoined', roster: 3, data: { userId: bob.userId } }],
          rosterHead: 3,
          complete: true,
        },
      ],
    });
  });

  test('does not learn who came and went before, where the history begins on joining', async () => {
    const job = await post({ historyFrom: 'joined' });
    const groupId = job['groupId']!;
    await apply(ada, job['jobId']!);
    await ok(acme, 'DELETE', `/v1/groups/${groupId}/members/${ada.userId}`);
    await apply(bob, job['jobId']!);
    const client = await listen(bob);
    const answer: Ack<'sync'> = await client.ask('sync', {
      groups: [{ groupId, afterSeq: 0, afterRoster: 0 }],
    });
    expect(answer).toMatchObject({ groups: [{ rosterHead: 4, complete: true }] });
    expect(JSON.stringify(answer)).not.toContain(ada.userId);
  });

  test('hears what is left to read, and new names', async () => {
    const job = await post();
    const groupId = job['groupId']!;
    await apply(ada, job['jobId']!);
    const [company, applicant] = [await listen(acme), await listen(ada)];
    await applicant.hears('joinRoom', (room) => room.groupId === groupId);
    for (const text of ['one', 'two']) await say(acme, groupId, text);
    const third = await say(acme, groupId, 'three');
    await ok(ada, 'PUT', `/v1/groups/${groupId}/read`, { seq: 1 });
    const read = await applicant.hears('unreadChanged', ({ readSeq }) => readSeq === 1);
    expect(read).toEqual({ groupId, unreadCount: 2, readSeq: 1, headSeq: 3, total: expect.any(Number) });
    await ok(acme, 'DELETE', `/v1/groups/${groupId}/messages/${third['messageId']}`);
    expect(await applicant.hears('unreadChanged', ({ headSeq }) => headSeq === 4)).toEqual({
      ...{ groupId, unreadCount: 1, readSeq: 1, headSeq: 4 },
      total: read.total! - 1,
    });
    await ok(ada, 'PATCH', '/v1/me', { displayName: 'Ada Lovelace' });
    for (const client of [company, applicant])
      expect(await client.hears('profileChanged')).toEqual({
        userId: ada.userId,
        displayName: 'Ada Lovelace',
      });
  });

  test('hears of the company’s people in a private conversation from when they speak there on', async () => {
    const colleague = await app.register('company', 'Colleague');
    await joinCompany(app, colleague, { of: acme, role: 'recruiter' });
    const job = await post({ conversations: 'private' });
    const groupId = (await apply(ada, job['jobId']!))['groupId']!;
    const applicant = await listen(ada);
    await applicant.hears('joinRoom', (room) => room.groupId === groupId);
    const comesAndSays = async (text: string) => {
      const client = await listen(colleague);
      await client.hears('joinRoom', (room) => room.groupId === groupId);
      await say(colleague, groupId, text);
      await applicant.hears('messageSent', ({ data }) => data.text === text);
      return client;
    };
    const isThere = (event: { userId: string }) => event.userId === colleague.userId;
    const first = await comesAndSays('Silent so far');
    expect(applicant.all('presence').filter(isThere)).toEqual([]);
    first.socket.disconnect();
    await applicant.hears('presence', (event) => isThere(event) && !event.online);
    await comesAndSays('Known by now');
    await applicant.hears('presence', (event) => isThere(event) && event.online);
  });

  test('does not learn from read markers or typing who of the company has not spoken there', async () => {
    const job = await post({ conversations: 'private' });
    const groupId = (await apply(ada, job['jobId']!))['groupId']!;
    const rita = await app.register('company', 'Rita');
    await joinCompany(app, rita, { of: acme, role: 'recruiter' });
    const [applicant, recruiter, colleague] = [await listen(ada), await listen(rita), await listen(acme)];
    for (const client of [applicant, recruiter, colleague])
      await client.hears('joinRoom', (room) => room.groupId === groupId);
    const first = await say(ada, groupId, 'Is anybody there?');
    const seq = Number(first['seq']);
    const isRita = (event: { groupId: string; userId: string }) =>
      event.groupId === groupId && event.userId === rita.userId;

    await ok(rita, 'PUT', `/v1/groups/${groupId}/read`, { seq });
    await colleague.hears('messagesRead', isRita);
    await recruiter.asks('typing', { groupId, isTyping: true });
    await colleague.hears('typing', isRita);
    const second = await say(rita, groupId, 'Yes');
    await applicant.hears('messageSent', ({ data }) => data.text === 'Yes');
    expect(applicant.all('messagesRead').filter(isRita)).toEqual([]);
    expect(applicant.all('typing').filter(isRita)).toEqual([]);
    const { body } = await app.ask('GET', `/v1/users?ids=${rita.userId}`, { as: ada });
    expect(body).toEqual({ data: [{ userId: rita.userId, displayName: 'Rita' }] });
    await ok(rita, 'PUT', `/v1/groups/${groupId}/read`, { seq: Number(second['seq']) });
    await applicant.hears('messagesRead', isRita);
  });
});
