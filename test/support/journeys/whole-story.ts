import { randomUUID } from 'node:crypto';
import { Listener } from '../../../tools/listener.ts';
import { ChatProblem, type Session, call, logIn, signUp } from '../../../tools/rest.ts';
import { until } from '../../../tools/until.ts';
import type { ServerEvent } from '../../../packages/chat-client/src/index.ts';

interface Message {
  id: string;
  seq: number;
  text: string | null;
  reactions: Record<string, string[]>;
  editedAt: string | null;
}

interface Group {
  groupId: string;
  lastMessage: Message | null;
  unreadCount: number;
  headSeq: number;
  memberCount: number;
  myRole: string;
}

/** Records everything that a socket receives under these names. */
function listen(
  { chat }: Listener,
  ...names: ServerEvent[]
): { name: string; payload: Record<string, unknown> }[] {
  const heard: { name: string; payload: Record<string, unknown> }[] = [];
  for (const name of names) chat.on(name, (payload) => heard.push({ name, payload }));
  return heard;
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof ChatProblem ? error.code : String(error)),
  );

/** Limits that the story does not reach. */
export const STORY_ENV = { LOGINS_PER_MINUTE: '1000', MESSAGES_PER_MINUTE: '1000' };

/**
 * One ordered story: each test continues where the previous one ended. `open` starts the program, and
 * returns its URL.
 */
export const describeWholeStory = (
  name: string,
  open: () => Promise<{ url: string; close(): Promise<void> }>,
) =>
  describe(`the whole story ${name}`, () => {
    const secret = 'correct horse battery staple';
    const email = `${randomUUID()}@example.test`;
    let close: (() => Promise<void>) | undefined;
    let url: string;
    let company: Session;
    let ada: Session;
    let bob: Session;
    let job: { jobId: string; groupId: string };
    let group: string;
    let companyClient: Listener;
    let adaClient: Listener;
    let bobClient: Listener;
    let adaApplication: string;
    let position: string;

    const as = <T>({ accessToken: token }: Session, method: string, path: string, body?: unknown) =>
      call<T>(url, method, path, {
        token,
        body,
        ...(method === 'GET' && position && { headers: { 'x-min-position': position } }),
      });
    const groupOf = (session: Session) => as<Group>(session, 'GET', `/v1/groups/${group}`);
    const messages = async (session: Session) =>
      (await as<{ data: Message[] }>(session, 'GET', `/v1/groups/${group}/messages`)).data;

    beforeAll(async () => {
      ({ url, close } = await open());
    }, 120_000);

    afterAll(async () => {
      for (const client of [companyClient, adaClient, bobClient]) client?.close();
      await close?.();
    }, 60_000);

    test('people register, log in and renew their tokens', async () => {
      company = await signUp(url, { role: 'company', displayName: 'Harbour Robotics' });
      ada = await signUp(url, { role: 'applicant', displayName: 'Ada', email, password: secret });
      bob = await signUp(url, { role: 'applicant', displayName: 'Bob' });
      const again = { role: 'applicant', displayName: 'Ada', email, password: secret };
      expect(await refusal(call(url, 'POST', '/v1/auth/register', { body: again }))).toBe('EMAIL_TAKEN');
      expect(await refusal(logIn(url, email, 'wrong password here'))).toBe('BAD_CREDENTIALS');
      const renewed = await call<{ accessToken: string; refreshToken: string }>(
        url,
        'POST',
        '/v1/auth/refresh',
        {
          body: { refreshToken: ada.refreshToken },
        },
      );
      ada = { ...ada, ...renewed };
      expect(await as(ada, 'GET', '/v1/me')).toMatchObject({ role: 'applicant', displayName: 'Ada' });
    });

    test('a posted job has a group at once, with the company as its admin', async () => {
      const posted = await as<{ jobId: string; groupId: string; position: string }>(
        company,
        'POST',
        '/v1/jobs',
        {
          title: 'Robot whisperer',
          description: 'Talk to cranes',
        },
      );
      ({ position } = posted);
      job = posted;
      group = posted.groupId;
      expect(await groupOf(company)).toMatchObject({ myRole: 'admin', memberCount: 1, headSeq: 0 });
      expect(await refusal(as(ada, 'GET', `/v1/groups/${group}`))).toBe('GROUP_NOT_FOUND');
      expect(await refusal(as(ada, 'POST', '/v1/jobs', { title: 'x', description: 'y' }))).toBe(
        'ROLE_NOT_ALLOWED',
      );
    });

    test('an applicant is in the group, and open sockets are informed', async () => {
      companyClient = await new Listener(company).connect();
      adaClient = await new Listener(ada).connect();
      const heard = listen(companyClient, 'memberJoined', 'presence');
      await until(() => companyClient.rooms.has(group), 'the company is in the room');
      const path = `/v1/jobs/${job.jobId}/applications`;
      const applied = await as<{ applicationId: string; position: string }>(ada, 'POST', path, {});
      adaApplication = applied.applicationId;
      const twice = await as<{ applicationId: string }>(ada, 'POST', '/apply', { jobId: job.jobId });
      expect(twice.applicationId).toBe(adaApplication);
      ({ position } = await as<{ position: string }>(bob, 'POST', path, { coverLetter: 'Me too' }));
      await until(() => adaClient.rooms.has(group), 'Ada is put into the room');
      bobClient = await new Listener(bob).connect();
      await until(
        () => heard.filter((e) => e.name === 'memberJoined').length === 2,
        'the company sees both join',
      );
      await until(
        () => heard.some(({ name, payload }) => name === 'presence' && payload['userId'] === bob.userId),
        'the company sees Bob come online',
      );
      expect(await groupOf(ada)).toMatchObject({ myRole: 'member', memberCount: 3 });
    });

    test('messages over REST and over sockets arrive in one order', async () => {
      const clientMsgId = randomUUID();
      const sent = await as<{ seq: number; duplicate: boolean }>(
        company,
        'POST',
        `/v1/groups/${group}/messages`,
        {
          clientMsgId,
          text: 'Welcome, both of you',
        },
      );
      expect(sent).toMatchObject({ seq: 1, duplicate: false });
      const again = await companyClient.send({ groupId: group, clientMsgId, text: 'Welcome, both of you' });
      expect(again).toMatchObject({ seq: 1, duplicate: true });
      expect(await refusal(companyClient.send({ groupId: group, clientMsgId, text: 'Other' }))).toBe(
        'CLIENT_MSG_ID_REUSED',
      );
      await adaClient.send({ groupId: group, text: 'Thank you!' });
      ({ position } = await bobClient.send({ groupId: group, text: 'Hello zeppelin' }));
      for (const client of [companyClient, adaClient, bobClient]) await client.reached(group, 3);
      const told = (client: Listener) => client.view(group).map(({ seq, id }) => [seq, id]);
      expect(told(adaClient)).toEqual(told(companyClient));
      expect(told(bobClient)).toEqual(told(companyClient));
      expect((await messages(bob)).map(({ text }) => text)).toEqual([
        'Welcome, both of you',
        'Thank you!',
        'Hello zeppelin',
      ]);
    });

    test('messages are edited, reacted to and deleted, and every member is informed', async () => {
      const [first, second, third] = await messages(ada);
      const about = (message: Message | undefined) => ({ groupId: group, messageId: message!.id });
      await adaClient.ask('editMessage', { ...about(second), text: 'Thanks a lot!' });
      await bobClient.ask('addReaction', { ...about(first), emoji: '👍' });
      const emoji = encodeURIComponent('🎉');
      await as(ada, 'PUT', `/v1/groups/${group}/messages/${first?.id}/reactions/${emoji}`);
      expect(await refusal(adaClient.ask('deleteMessage', about(third)))).toBe('NOT_MESSAGE_AUTHOR');
      ({ position } = await as<{ position: string }>(
        bob,
        'DELETE',
        `/v1/groups/${group}/messages/${third?.id}`,
      ));
      await companyClient.reached(group, 7);
      expect(companyClient.view(group).map(({ type }) => type)).toEqual([
        ...['MessageSent', 'MessageSent', 'MessageSent'],
        ...['MessageEdited', 'ReactionAdded', 'ReactionAdded', 'MessageDeleted'],
      ]);
      const now = await messages(company);
      expect(now.map(({ text }) => text)).toEqual(['Welcome, both of you', 'Thanks a lot!', null]);
      expect(now[0]?.reactions).toEqual({ '👍': [bob.userId], '🎉': [ada.userId] });
    });

    test('unread messages are counted, and read markers never move back', async () => {
      expect((await groupOf(company)).unreadCount).toBeGreaterThan(0);
      const heard = listen(adaClient, 'messagesRead');
      const read = await as<{ unreadCount: number }>(company, 'PUT', `/v1/groups/${group}/read`, { seq: 7 });
      expect(read.unreadCount).toBe(0);
      expect(await companyClient.ask('markRead', { groupId: group, seq: 1 })).toMatchObject({
        unreadCount: 0,
      });
      await until(() => heard.length > 0, 'Ada hears that the company has read');
      expect(heard[0]?.payload).toMatchObject({ groupId: group, userId: company.userId, seq: 7 });
    });

    test('search finds only what the caller may see', async () => {
      const search = (session: Session) =>
        as<{ data: unknown[] }>(session, 'GET', '/v1/search/messages?q=thanks').then(
          ({ data }) => data.length,
        );
      const stranger = await signUp(url, { role: 'applicant', displayName: 'Eve' });
      expect(await search(bob)).toBe(1);
      expect(await search(stranger)).toBe(0);
    });

    test('typing is shown to the other members', async () => {
      const heard = listen(bobClient, 'typing');
      await adaClient.ask('typing', { groupId: group, isTyping: true });
      await until(() => heard.length > 0, 'Bob sees Ada type');
      expect(heard[0]?.payload).toEqual({ groupId: group, userId: ada.userId, isTyping: true });
    });

    test('a rejected applicant is removed, and the open socket receives nothing more', async () => {
      const heard = listen(adaClient, 'leaveRoom', 'messageSent');
      ({ position } = await as<{ position: string }>(company, 'PATCH', `/v1/applications/${adaApplication}`, {
        status: 'rejected',
      }));
      await until(() => heard.some(({ name }) => name === 'leaveRoom'), 'Ada is taken out of the room');
      const after = await companyClient.send({ groupId: group, text: 'Only Bob may read this' });
      await bobClient.reached(group, after.seq);
      expect(heard.filter(({ name }) => name === 'messageSent')).toEqual([]);
      expect(await refusal(adaClient.send({ groupId: group, text: 'Still here?' }))).toBe('GROUP_NOT_FOUND');
      expect(await refusal(messages(ada))).toBe('GROUP_NOT_FOUND');
    });

    test('a closed job accepts no applications, and its group no messages', async () => {
      await as(company, 'POST', `/v1/jobs/${job.jobId}/close`);
      expect(await refusal(bobClient.send({ groupId: group, text: 'Too late' }))).toBe('GROUP_CLOSED');
      const late = await signUp(url, { role: 'applicant', displayName: 'Late' });
      const applying = as(late, 'POST', `/v1/jobs/${job.jobId}/applications`, {});
      expect(await refusal(applying)).toBe('JOB_CLOSED');
      expect((await messages(bob)).at(-1)?.text).toBe('Only Bob may read this');
    });

    test('a logout ends the tokens and the open sockets of the session within 5 s', async () => {
      const session = await logIn(url, email, secret);
      const client = await new Listener(session).connect();
      await as(session, 'POST', '/v1/auth/logout');
      await until(() => !client.isConnected, 'the socket is closed', 5_000);
      expect(await refusal(as(session, 'GET', '/v1/me'))).toBe('TOKEN_REVOKED');
      expect(await as(ada, 'GET', '/v1/me')).toMatchObject({ displayName: 'Ada' });
      client.close();
    });
  });
