import { randomUUID } from 'node:crypto';
import {
  type ChatClient,
  type ConversationState,
  type Store,
  createChatClient,
} from '../../packages/chat-client/src/index.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { joinCompany } from '../support/stages/board.ts';
import { until } from '../../tools/until.ts';

/** The client against the whole server: what one does, the others are shown. */
describe('a client', () => {
  let app: TestApp;
  let acme: Person;
  let ada: Person;
  let bob: Person;
  let jobId: string;
  let groupId: string;
  const clients: ChatClient[] = [];
  const leaves: (() => void)[] = [];

  async function open({ email, password }: Person): Promise<ChatClient> {
    const chat = createChatClient({ url: app.url, reconnectMs: [50, 500] });
    clients.push(chat);
    await chat.logIn({ email, password });
    await chat.opened();
    return chat;
  }
  /** Subscribes, and resolves once the store shows what is expected. */
  async function shows<T>(store: Store<T>, what: string, is: (value: T) => boolean): Promise<T> {
    leaves.push(store.subscribe(() => {}));
    await until(() => is(store.getSnapshot()), what, 10_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(store.getSnapshot())}`);
    });
    return store.getSnapshot();
  }
  const post = (body: object = {}) =>
    app
      .ask('POST', '/v1/jobs', { as: acme, body: { title: 'Engineer', description: 'x', ...body } })
      .then((answer) => answer.body as { jobId: string; groupId: string });
  const apply = (as: Person, to: string) =>
    app
      .ask('POST', `/v1/jobs/${to}/applications`, { as, body: {} })
      .then(({ body }) => body['groupId'] as string);

  beforeAll(async () => {
    app = await startApp({ HEADS_INTERVAL_MS: '500' });
    acme = await app.register('company', 'Acme');
    ada = await app.register('applicant', 'Ada');
    bob = await app.register('applicant', 'Bob');
    ({ jobId, groupId } = await post());
    await apply(ada, jobId);
  }, 60_000);
  afterEach(() => {
    for (const leave of leaves.splice(0)) leave();
    for (const chat of clients.splice(0)) chat.close();
  });
  afterAll(() => app?.stop());

  test('shows a message to its sender at once and to the others by name, and counts it until it is read', async () => {
    const [company, applicant] = [await open(acme), await open(ada)];
    await shows(company.groups(), 'the group', ({ items }) =>
      items.some((group) => group.groupId === groupId),
    );
    const theirs = company.messages(groupId);
    await shows(theirs, 'the window', ({ status }) => status === 'ready');
    const mine = applicant.messages(groupId);
    await shows(mine, 'the window', ({ status }) => status === 'ready');

    const { done } = applicant.send({ groupId, text: 'Hello' });
    expect(applicant.outbox.pending.getSnapshot()).toMatchObject([{ text: 'Hello', status: 'waiting' }]);
    await shows(mine, 'it to wait', (now) => now.pending[0]?.text === 'Hello');
    await done;
    await shows(
      mine,
      'it to be heard',
      ({ messages, pending }) => messages.length === 1 && pending.length === 0,
    );
    const isNamed = (now: ConversationState) => now.messages[0]?.sender.displayName === 'Ada';
    const { messages } = await shows(theirs, 'it, by name', isNamed);
    expect(messages).toMatchObject([{ text: 'Hello', senderId: ada.userId }]);

    const row = () =>
      company
        .groups()
        .getSnapshot()
        .items.find((group) => group.groupId === groupId)!;
    await until(() => row().unreadCount === 1, 'the count');
    expect(row().lastMessage).toMatchObject({ text: 'Hello', sender: { displayName: 'Ada' } });
    await company.markRead(groupId, messages[0]!.seq);
    await until(() => row().unreadCount === 0, 'the count after reading');
    await until(() => company.unread.getSnapshot() === 0, 'the total');
  });

  test('shows edits, reactions and deletions, and what REST then shows is the same', async () => {
    const [company, applicant] = [await open(acme), await open(ada)];
    const window = company.messages(groupId);
    await shows(window, 'the window', ({ status }) => status === 'ready');
    const first = await applicant.send({ groupId, text: 'to be edited' }).done;
    const second = await applicant.send({ groupId, text: 'to be deleted', replyTo: first.messageId }).done;
    await applicant.edit(groupId, first.messageId, 'edited');
    await company.react(groupId, first.messageId, '👍');
    await company.react(groupId, first.messageId, '🎉');
    await company.unreact(groupId, first.messageId, '🎉');
    await applicant.remove(groupId, second.messageId);
    await shows(window, 'the deletion', ({ messages }) => messages.at(-1)?.deletedAt != null);
    const { messages } = window.getSnapshot();
    expect(messages.slice(-2)).toMatchObject([
      { text: 'edited', reactions: { '👍': [acme.userId] } },
      { text: null, replyTo: first.messageId, replyToSeq: first.seq },
    ]);
    // Another's deletion is pushed before the read model has it.
    let shown: typeof messages = [];
    await until(async () => {
      const params = { path: { groupId } };
      const { data } = await company.rest.GET('/v1/groups/{groupId}/messages', { params });
      shown = data!.data;
      return shown.at(-1)?.deletedAt != null;
    }, 'the deletion by REST');
    // Its sender alone is told the clientMsgId of a message by REST, and the push tells everybody.
    const withoutOwn = messages.map(({ clientMsgId: _, ...message }) => message);
    expect(withoutOwn).toEqual(shown.map(({ clientMsgId: _, ...message }) => message));
  });

  test('shows who joins, who is online, who types, how far they have read, and a new name', async () => {
    const company = await open(acme);
    const members = company.members(groupId);
    await shows(members, 'the members', ({ items }) => items.length === 2);
    await apply(bob, jobId);
    const third = await open(bob);
    const bobIn = () => members.getSnapshot().items.find(({ userId }) => userId === bob.userId);
    await until(() => bobIn()?.online === true && bobIn()?.displayName === 'Bob', 'Bob to be there');

    leaves.push(company.typing(groupId).subscribe(() => {}));
    third.setTyping(groupId, true);
    await shows(company.typing(groupId), 'Bob to type', (ids) => ids.includes(bob.userId));
    third.setTyping(groupId, false);
    await shows(company.typing(groupId), 'Bob to stop', (ids) => ids.length === 0);

    const { seq } = await company.send({ groupId, text: 'Read this' }).done;
    await third.markRead(groupId, seq);
    await until(() => bobIn()?.readSeq === seq, 'the read marker');
    await app.ask('PATCH', '/v1/me', { as: bob, body: { displayName: 'Robert' } });
    await until(() => bobIn()?.displayName === 'Robert', 'the new name');

    third.close();
    await until(() => bobIn()?.online === false, 'Bob to be offline');
    await app.ask('DELETE', `/v1/groups/${groupId}/members/${bob.userId}`, { as: acme });
    await until(() => bobIn() === undefined, 'Bob to be gone');
  });

  test('shows a removed member that the group is gone', async () => {
    const job = await post();
    await apply(ada, job.jobId);
    const applicant = await open(ada);
    const window = applicant.messages(job.groupId);
    await shows(window, 'the window', ({ status }) => status === 'ready');
    await shows(applicant.groups(), 'the group', ({ items }) =>
      items.some((group) => group.groupId === job.groupId),
    );
    await app.ask('DELETE', `/v1/groups/${job.groupId}/members/${ada.userId}`, { as: acme });
    await shows(window, 'the end', ({ status }) => status === 'gone');
    const { items } = applicant.groups().getSnapshot();
    expect(items.map((group) => group.groupId)).not.toContain(job.groupId);
    await expect(applicant.send({ groupId: job.groupId, text: 'Still here?' }).done).rejects.toMatchObject({
      code: 'GROUP_NOT_FOUND',
    });
  });

  test('lists the threads of a job, who waits in them, and those that are new', async () => {
    const job = await post({ conversations: 'private' });
    const own = await apply(ada, job.jobId);
    const company = await open(acme);
    const threads = company.threads(job.jobId);
    await shows(threads, 'a thread', ({ items }) => items.length === 1);
    const applicant = await open(ada);
    await company.send({ groupId: own, text: 'When can you start?' }).done;
    await shows(
      threads,
      'the applicant to be waited for',
      ({ items }) => items[0]?.waitingOn === 'applicant',
    );
    await applicant.send({ groupId: own, text: 'Tomorrow' }).done;
    await shows(
      threads,
      'the company',
      ({ items }) => items[0]?.waitingOn === 'company' && items[0].unreadCount === 1,
    );
    const other = await apply(bob, job.jobId);
    await shows(threads, 'the new thread', ({ items }) => items.some((thread) => thread.groupId === other));
    const { items } = threads.getSnapshot();
    expect(items.find((thread) => thread.groupId === own)).toMatchObject({
      lastMessage: { text: 'Tomorrow' },
      applicant: { displayName: 'Ada' },
    });
  });

  test('uploads a file with its progress and the outcome of the scan, and shows both in the message', async () => {
    const [company, applicant] = [await open(acme), await open(ada)];
    const window = company.messages(groupId);
    await shows(window, 'the window', ({ status }) => status === 'ready');
    const upload = applicant.upload({ groupId, file: new Blob(['a plain text']), name: 'cv.txt' });
    const states: string[] = [];
    leaves.push(upload.subscribe(({ status }) => void (states.at(-1) === status || states.push(status))));
    await applicant.send({ groupId, fileIds: [await upload.uploaded] }).done;
    expect(await upload.scanned).toMatchObject({ status: 'clean', name: 'cv.txt' });
    expect(states.at(-1)).toBe('clean');
    const isClean = (now: ReturnType<typeof window.getSnapshot>) =>
      now.messages.at(-1)?.files[0]?.status === 'clean' && now.messages.at(-1)?.files[0]?.name === 'cv.txt';
    await shows(window, 'the file', isClean);
  });

  test('says why an upload was refused, and cancels one', async () => {
    const applicant = await open(ada);
    const refused = applicant.upload({
      groupId,
      file: new Blob(['x'], { type: 'application/x-msdownload' }),
      name: 'a.exe',
    });
    await expect(refused.uploaded).rejects.toMatchObject({ code: 'FILE_TYPE_NOT_ALLOWED' });
    expect(refused.getSnapshot()).toMatchObject({
      status: 'failed',
      problem: { code: 'FILE_TYPE_NOT_ALLOWED' },
    });
    const fake = applicant.upload({ groupId, file: new Blob(['no pdf']), name: 'fake.pdf' });
    expect(await fake.scanned).toMatchObject({ status: 'rejected' });
    expect(fake.getSnapshot()).toMatchObject({ status: 'refused', reason: 'type-does-not-match' });
    const cancelled = applicant.upload({ groupId, file: new Blob(['late']), name: 'late.txt' });
    cancelled.cancel();
    await expect(cancelled.uploaded).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('has nothing of one user for the next', async () => {
    const chat = await open(ada);
    const groups = await shows(chat.groups(), 'her groups', ({ items }) => items.length > 0);
    await shows(chat.messages(groupId), 'her window', ({ status }) => status === 'ready');
    expect(chat.people.getSnapshot().size).toBeGreaterThan(0);
    await chat.logOut();
    await until(() => chat.groups().getSnapshot().items.length === 0, 'the list to be empty');
    expect(chat.messages(groupId).getSnapshot().messages).toEqual([]);
    expect(chat.people.getSnapshot().size).toBe(0);
    const eve = await app.register('applicant', 'Eve');
    await chat.logIn({ email: eve.email, password: eve.password });
    await shows(chat.groups(), 'her own, which are none', ({ status }) => status === 'ready');
    expect(chat.groups().getSnapshot().items).toEqual([]);
    await shows(chat.messages(groupId), 'that it is not hers', ({ status }) => status === 'gone');
    expect(groups.items.length).toBeGreaterThan(0);
  });

  test('takes tokens of the board’s backend, and calls for another one when one has ended', async () => {
    const tokens = [{ ...ada }, ada].map(({ accessToken }) => accessToken);
    let calls = 0;
    const chat = createChatClient({
      url: app.url,
      tokens: async () => {
        calls += 1;
        return calls === 1 ? 'h.e30.s' : tokens[0]!;
      },
    });
    clients.push(chat);
    chat.open();
    await chat.opened();
    expect(calls).toBe(2);
    await chat.send({ groupId, text: 'With a token of the board' }).done;
  });

  test('ends with its session, and says so', async () => {
    const applicant = await open(ada);
    const { data } = await applicant.rest.GET('/v1/me/sessions');
    const { sessionId } = data!.data.find(({ current }) => current)!;
    await app.ask('DELETE', `/v1/me/sessions/${sessionId}`, { as: ada });
    await shows(applicant.connection, 'the end', ({ status }) => status === 'refused' || status === 'closed');
    expect(applicant.user.getSnapshot()).toBeUndefined();
    await expect(applicant.rest.GET('/v1/groups')).rejects.toMatchObject({ status: 401 });
  });

  test('opens no connection for an auditor, whose calls work', async () => {
    const chat = createChatClient({ url: app.url });
    clients.push(chat);
    const { email, password } = await app.hireAuditor();
    expect(await chat.logIn({ email, password })).toMatchObject({ role: 'auditor' });
    expect(chat.connection.getSnapshot()).toEqual({ status: 'closed' });
    expect((await chat.rest.GET('/v1/audit/access-grants')).data).toMatchObject({ data: [] });
    await chat.logOut();
    await chat.logIn({ email: ada.email, password: ada.password });
    await chat.opened();
  });

  test('learns of the end of its session from a call, where there is no connection', async () => {
    const chat = createChatClient({ url: app.url });
    clients.push(chat);
    const auditor = await app.hireAuditor();
    await chat.logIn({ email: auditor.email, password: auditor.password });
    const { data } = await chat.rest.GET('/v1/me/sessions');
    const { sessionId } = data!.data.find(({ current }) => current)!;
    await app.ask('DELETE', `/v1/me/sessions/${sessionId}`, { as: auditor });
    await expect(chat.rest.GET('/v1/audit/access-grants')).rejects.toMatchObject({ status: 401 });
    expect(chat.user.getSnapshot()).toBeUndefined();
  });

  test('tells a program every event of every group once, from where it stopped', async () => {
    const writer = await open(acme);
    const text = randomUUID();
    for (const n of [1, 2, 3]) await writer.send({ groupId, text: `${text} ${n}` }).done;
    const reader = await open(ada);
    const told: string[] = [];
    leaves.push(
      reader.events(({ data }) => 'text' in data && told.push(String(data.text)), {
        after: ({ groupId: id, headSeq }) => (id === groupId ? headSeq - 2 : headSeq),
      }),
    );
    reader.breakOff();
    await until(() => told.length === 2, 'both');
    expect(told).toEqual([`${text} 2`, `${text} 3`]);
  });

  test('delivers the new events of an open conversation to a listener that is added later', async () => {
    const [writer, reader] = [await open(acme), await open(ada)];
    const window = reader.messages(groupId);
    await shows(window, 'the window', ({ status }) => status === 'ready');
    await writer.send({ groupId, text: 'Before' }).done;
    await shows(window, 'the first', ({ messages }) => messages.at(-1)?.text === 'Before');
    const told: string[] = [];
    leaves.push(reader.events(({ data }) => 'text' in data && told.push(String(data.text))));
    await writer.send({ groupId, text: 'After' }).done;
    await until(() => told.length > 0, 'the second, told');
    expect(told).toEqual(['After']);
  });

  test('goes on with everything after its rights in the company have changed', async () => {
    const privately = await post({ conversations: 'private' });
    const threadId = await apply(ada, privately.jobId);
    const rita = await app.register('company', 'Rita');
    await joinCompany(app, rita, { of: acme, role: 'recruiter' });
    const recruiter = await open(rita);
    const told: string[] = [];
    leaves.push(recruiter.events(({ data }) => 'text' in data && told.push(String(data.text))));
    const window = recruiter.messages(threadId);
    await shows(window, 'the window', ({ status }) => status === 'ready');
    const members = recruiter.members(threadId);
    await shows(members, 'the members', ({ status }) => status === 'ready');

    const writer = await open(ada);
    await writer.send({ groupId: threadId, text: 'Before' }).done;
    await app.ask('PATCH', `/v1/company/members/${rita.userId}`, {
      as: acme,
      body: { jobIds: [privately.jobId] },
    });
    await writer.send({ groupId: threadId, text: 'Meanwhile' }).done;
    await shows(window, 'both', ({ messages }) => messages.length === 2);
    await shows(members, 'the members again', ({ items }) => items.length > 0);
    await until(() => told.length === 2, 'both, told');
    expect(told).toEqual(['Before', 'Meanwhile']);
  });
});
