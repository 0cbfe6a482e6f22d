import { randomUUID } from 'node:crypto';
import { type Socket, io } from 'socket.io-client';
import { ApplicationId, GroupId, JobId, UserId } from '../../src/events/ids.ts';
import { newId } from '../../src/kit/uuids.ts';
import { until } from '../../tools/until.ts';
import { event } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { withPostgresLog } from '../support/stages/open-logs.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';

interface Row {
  groupId: string;
  kind: string;
  text: string | null;
}
/** What the calls of this journey answer, each a part of it. */
interface Answered extends Record<'jobId' | 'groupId' | 'applicationId' | 'messageId' | 'status', string> {
  data: Row[];
  position?: string;
}
interface Synced {
  groups: { events: { seq: number }[] }[];
}
interface Payload {
  groupId: string;
  data: { text?: string };
}
interface Heard {
  name: string;
  payload: Payload;
}

/** How the conversations about a job are held, from the posting to the end of the last thread. */
describe.each([{ THREAD_REPLY_DAYS: '14' }, { THREAD_REPLY_DAYS: '0' }])(
  'conversations about a job, with %j',
  (env) => {
    let app: TestApp;
    let acme: Person;
    let ada: Person;
    let bob: Person;
    const sockets: Socket[] = [];
    /** The position of the last command: what is read shows it. */
    let newest: string | undefined;
    beforeAll(async () => {
      app = await startApp(env);
      acme = await app.register('company', 'Acme');
      ada = await app.register('applicant', 'Ada');
      bob = await app.register('applicant', 'Bob');
    }, 60_000);
    afterAll(async () => {
      for (const socket of sockets) socket.disconnect();
      await app?.stop();
    });

    async function ok(as: Person, method: string, path: string, body?: object): Promise<Answered> {
      const headers = method === 'GET' && newest !== undefined ? { 'x-min-position': newest } : undefined;
      const answer = await app.ask(method, path, { as, ...(body && { body }), ...(headers && { headers }) });
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      const answered = answer.body as unknown as Answered;
      newest = answered.position ?? newest;
      return answered;
    }
    const refusal = async (as: Person, method: string, path: string, body?: object) => {
      const { status, body: problem } = await app.ask(method, path, { as, ...(body && { body }) });
      return { status, code: (problem as { code?: string }).code };
    };
    const post = (changes: object = {}) =>
      ok(acme, 'POST', '/v1/jobs', { title: 'Engineer', description: 'Builds engines', ...changes });
    const apply = (as: Person, { jobId }: { jobId: string }) =>
      ok(as, 'POST', `/v1/jobs/${jobId}/applications`, { coverLetter: `A letter by ${as.email}` });
    const say = (as: Person, groupId: string, text: string, more: object = {}) =>
      ok(as, 'POST', `/v1/groups/${groupId}/messages`, { clientMsgId: randomUUID(), text, ...more });
    const textsOf = async (as: Person, groupId: string): Promise<(string | null)[]> =>
      (await ok(as, 'GET', `/v1/groups/${groupId}/messages`)).data.map(({ text }) => text);
    const decide = (applicationId: string, status: string) =>
      ok(acme, 'PATCH', `/v1/applications/${applicationId}`, { status });
    const kindsOf = async (as: Person) =>
      Object.fromEntries(
        (await ok(as, 'GET', '/v1/groups')).data.map((group) => [group.groupId, group.kind]),
      );
    async function listen(as: Person) {
      const heard: Heard[] = [];
      const socket = io(app.url, { transports: ['websocket'], auth: { token: as.accessToken } });
      socket.onAny((name: string, payload: Heard['payload']) => heard.push({ name, payload }));
      sockets.push(socket);
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      return {
        heard,
        ask: (name: string, payload: object): Promise<unknown> =>
          socket.timeout(5_000).emitWithAck(name, payload),
        hears: async (name: string, where: (payload: Payload) => boolean = () => true) => {
          const find = () => heard.find((each) => each.name === name && where(each.payload));
          await until(() => find() !== undefined, `the socket to hear ${name}`);
          return find()!.payload;
        },
      };
    }

    test('in private, each applicant has a thread with the company, and nobody else', async () => {
      const job = await post({ conversations: 'private' });
      expect(await ok(ada, 'GET', `/v1/jobs/${job.jobId}`)).toMatchObject({ conversations: 'private' });
      const company = await listen(acme);
      const applicant = await listen(ada);
      const [hers, his] = [await apply(ada, job), await apply(bob, job)];
      expect(new Set([job.groupId, hers.groupId, his.groupId]).size).toBe(3);
      expect(await apply(ada, job)).toMatchObject({
        groupId: hers.groupId,
        applicationId: hers.applicationId,
      });
      for (const socket of [company, applicant])
        expect(await socket.hears('joinRoom', ({ groupId }) => groupId === hers.groupId)).toMatchObject({
          kind: 'thread',
        });
      expect(await applicant.ask('joinRoom', { groupId: hers.groupId })).toMatchObject({ kind: 'thread' });
      expect(await applicant.ask('joinRoom', { groupId: job.groupId })).toMatchObject({
        error: { code: 'GROUP_NOT_FOUND' },
      });

      await say(ada, hers.groupId, 'Hello');
      await say(bob, his.groupId, 'A secret of Bob');
      await company.hears('messageSent', ({ groupId }) => groupId === his.groupId);
      await say(acme, hers.groupId, 'Welcome');
      await applicant.hears('messageSent', ({ data }) => data.text === 'Welcome');
      expect(applicant.heard.filter(({ payload }) => payload.groupId === his.groupId)).toEqual([]);
      expect(await textsOf(ada, hers.groupId)).toEqual(['Hello', 'Welcome']);
      for (const path of [`/v1/groups/${his.groupId}`, `/v1/groups/${job.groupId}/members`])
        expect(await refusal(ada, 'GET', path)).toEqual({ status: 404, code: 'GROUP_NOT_FOUND' });
      expect(await kindsOf(ada)).toEqual({ [hers.groupId]: 'thread' });
      expect(await kindsOf(acme)).toMatchObject({ [hers.groupId]: 'thread', [job.groupId]: 'team' });

      const threads = `/v1/jobs/${job.jobId}/threads`;
      expect((await ok(acme, 'GET', `${threads}?unread=true`)).data).toMatchObject([
        { groupId: hers.groupId, applicant: { displayName: 'Ada' }, waitingOn: 'applicant' },
        { groupId: his.groupId, applicant: { displayName: 'Bob' }, waitingOn: 'company' },
      ]);
      expect(await refusal(ada, 'GET', threads)).toEqual({ status: 403, code: 'NOT_JOB_OWNER' });

      const add = (groupId: string, { userId }: Person) =>
        refusal(acme, 'POST', `/v1/groups/${groupId}/members`, { userId });
      for (const groupId of [job.groupId, hers.groupId])
        expect(await add(groupId, bob)).toEqual({ status: 404, code: 'USER_NOT_FOUND' });
      expect(await refusal(acme, 'DELETE', `/v1/groups/${hers.groupId}/members/${ada.userId}`)).toEqual({
        status: 409,
        code: 'APPLICANT_STAYS',
      });
    });

    test('they are as the job says until somebody applies', async () => {
      const job = await post();
      const becomes = (kind: string) =>
        until(async () => (await kindsOf(acme))[job.groupId] === kind, `the group to be of the kind ${kind}`);
      await becomes('job');
      const path = `/v1/jobs/${job.jobId}`;
      const rival = await app.register('company', 'Rival');
      expect(await refusal(rival, 'POST', `${path}/applications`, {})).toEqual({
        ...{ status: 403, code: 'ROLE_NOT_ALLOWED' },
      });
      await ok(acme, 'PATCH', path, { conversations: 'private' });
      await becomes('team');
      const { groupId } = await apply(ada, job);
      expect(groupId).not.toBe(job.groupId);
      expect(await refusal(acme, 'PATCH', path, { conversations: 'group' })).toEqual({
        ...{ status: 409, code: 'CONVERSATIONS_FIXED' },
      });
      await ok(acme, 'PATCH', path, { conversations: 'private', title: 'Builder' });
    });

    test('they stay for a job that somebody applied for before there was a choice', async () => {
      const ids = { jobId: JobId.parse(newId()), groupId: GroupId.parse(newId()) };
      const companyId = UserId.parse(acme.userId);
      const application = {
        applicationId: ApplicationId.parse(newId()),
        applicantId: UserId.parse(bob.userId),
      };
      await withPostgresLog(app.databaseUrl, (store) =>
        happened(
          store,
          event('JobPosted', { ...ids, companyId, title: 'Old', description: 'Old', location: null }),
          event('ChatGroupCreated', { ...ids, name: 'Old', adminId: companyId }),
          event('ApplicationSubmitted', { ...ids, ...application, coverLetter: null }),
        ),
      );
      const path = `/v1/jobs/${ids.jobId}`;
      for (const change of [{ conversations: 'private' }, { historyFrom: 'joined' }])
        expect(await refusal(acme, 'PATCH', path, change)).toEqual({
          status: 409,
          code: 'CONVERSATIONS_FIXED',
        });
      await ok(acme, 'PATCH', path, { conversations: 'group', title: 'Older' });
    });

    test('a thread ends with a withdrawal, and goes on when the applicant comes back', async () => {
      const job = await post({ conversations: 'private' });
      const { groupId, applicationId } = await apply(ada, job);
      await say(ada, groupId, 'Hello');
      const company = await listen(acme);
      await company.hears('joinRoom', (room) => room.groupId === groupId);
      await ok(ada, 'DELETE', `/v1/applications/${applicationId}`);
      await company.hears('groupClosed', (payload) => payload.groupId === groupId);
      for (const person of [ada, acme]) {
        expect(
          await refusal(person, 'POST', `/v1/groups/${groupId}/messages`, {
            ...{ clientMsgId: randomUUID(), text: 'Too late' },
          }),
        ).toEqual({ status: 409, code: 'GROUP_CLOSED' });
        expect(await textsOf(person, groupId)).toEqual(['Hello']);
      }
      expect(await apply(ada, job)).toMatchObject({ groupId, applicationId });
      await company.hears('groupReopened', (payload) => payload.groupId === groupId);
      await say(ada, groupId, 'Again');
      expect(await textsOf(acme, groupId)).toEqual(['Hello', 'Again']);
    });

    test('a thread outlives a decision for the days of the setting, and can always be read', async () => {
      const job = await post({ conversations: 'private' });
      const { groupId, applicationId } = await apply(ada, job);
      const applicant = await listen(ada);
      await applicant.hears('joinRoom', (room) => room.groupId === groupId);
      await decide(applicationId, 'rejected');
      if (env.THREAD_REPLY_DAYS === '0') {
        await applicant.hears('groupClosed', (payload) => payload.groupId === groupId);
        await decide(applicationId, 'interview');
        await applicant.hears('groupReopened', (payload) => payload.groupId === groupId);
      }
      await say(ada, groupId, 'Why?');
      await say(acme, groupId, 'Because');
      expect(await textsOf(ada, groupId)).toEqual(['Why?', 'Because']);
      await ok(acme, 'POST', `/v1/jobs/${job.jobId}/close`);
      if (env.THREAD_REPLY_DAYS !== '0') await say(ada, groupId, 'And now?');
      else
        for (const room of [groupId, job.groupId])
          await until(
            async () => (await ok(acme, 'GET', `/v1/groups/${room}`)).status === 'closed',
            'the rooms to close',
          );
      expect((await textsOf(ada, groupId)).slice(0, 2)).toEqual(['Why?', 'Because']);
    });

    test('in a group that is seen as one joins, nothing from before exists', async () => {
      const job = await post({ historyFrom: 'joined' });
      const { groupId } = await apply(ada, job);
      expect(groupId).toBe(job.groupId);
      const early = await say(ada, groupId, 'An early pelican');
      await say(acme, groupId, 'An early answer', { replyTo: early.messageId });
      await apply(bob, job);
      const late = await listen(bob);
      const seen = await ok(bob, 'GET', `/v1/groups/${groupId}`);
      expect(seen).toMatchObject({ headSeq: 2, readSeq: 2, unreadCount: 0, lastMessage: null });
      expect(await textsOf(bob, groupId)).toEqual([]);
      const sync = async (afterSeq: number) =>
        (await late.ask('sync', { groups: [{ groupId, afterSeq }] })) as Synced;
      expect(await sync(0)).toMatchObject({
        groups: [{ events: [], headSeq: 2, firstSeq: 3, complete: true }],
      });

      await ok(ada, 'PATCH', `/v1/groups/${groupId}/messages/${early.messageId}`, {
        text: 'An edited pelican',
      });
      expect(await sync(0)).toMatchObject({ groups: [{ events: [], headSeq: 3, firstSeq: 4 }] });
      await say(acme, groupId, 'A late pelican');
      const [answer] = (await sync(0)).groups;
      expect(answer).toMatchObject({ headSeq: 4, firstSeq: 4, complete: true });
      expect(answer!.events.map(({ seq }) => seq)).toEqual([4]);
      expect((await sync(3)).groups[0]!.events).toHaveLength(1);
      expect((await sync(4)).groups[0]!.events).toEqual([]);
      expect(await textsOf(bob, groupId)).toEqual(['A late pelican']);
      for (const window of ['beforeSeq=4', 'aroundSeq=1&limit=1', 'afterSeq=0'])
        expect(JSON.stringify(await ok(bob, 'GET', `/v1/groups/${groupId}/messages?${window}`))).not.toMatch(
          /An e/,
        );
      const found = await ok(bob, 'GET', '/v1/search/messages?q=pelican');
      expect(found.data.map(({ text }) => text)).toEqual(['A late pelican']);
      const about = { groupId, messageId: early.messageId };
      const first = await listen(ada);
      await first.hears('joinRoom', (room) => room.groupId === groupId);
      const edit = (messageId: string, as: Person, text: string) =>
        ok(as, 'PATCH', `/v1/groups/${groupId}/messages/${messageId}`, { text });
      await edit(early.messageId, ada, 'An early secret');
      const spoken = (await ok(bob, 'GET', `/v1/groups/${groupId}/messages`)).data[0] as unknown as {
        id: string;
      };
      await edit(spoken.id, acme, 'A late penguin');
      await late.hears('messageEdited', ({ data }) => data.text === 'A late penguin');
      expect(late.heard.filter(({ name }) => name === 'messageEdited')).toMatchObject([
        ...[{ payload: { data: { text: null } } }, { payload: { data: { text: null } } }],
        { payload: { data: { text: 'A late penguin' } } },
      ]);
      expect(JSON.stringify(late.heard)).not.toMatch(/An e/);
      await first.hears('messageEdited', ({ data }) => data.text === 'An early secret');
      const missed = (await sync(0)).groups[0]!.events as unknown as { data: { text: string | null } }[];
      expect(missed.map(({ data }) => data.text)).toEqual(['A late pelican', null, 'A late penguin']);
      await edit(early.messageId, ada, 'An edited pelican');
      await edit(spoken.id, acme, 'A late pelican');
      expect(await late.ask('addReaction', { ...about, emoji: '👍' })).toMatchObject({
        error: { code: 'MESSAGE_NOT_FOUND' },
      });
      expect(
        await late.ask('sendMessage', {
          ...{ groupId, clientMsgId: randomUUID(), text: 'A reply', replyTo: early.messageId },
        }),
      ).toMatchObject({ error: { code: 'REPLY_TARGET_NOT_FOUND' } });
      expect(await textsOf(ada, groupId)).toEqual(['An edited pelican', 'An early answer', 'A late pelican']);
    });
  },
);

test('the setting decides where a job does not say', async () => {
  const app = await startApp({ JOB_CONVERSATIONS: 'private' });
  try {
    const as = await app.register('company');
    const conversationsOf = async (changes: object) => {
      const body = { title: 'Engineer', description: 'Builds engines', ...changes };
      const posted = (await app.ask('POST', '/v1/jobs', { as, body })).body as Record<string, string>;
      const headers = { 'x-min-position': posted['position']! };
      const { body: job } = await app.ask('GET', `/v1/jobs/${posted['jobId']}`, { as, headers });
      return job['conversations'];
    };
    expect(await conversationsOf({})).toBe('private');
    expect(await conversationsOf({ conversations: 'group' })).toBe('group');
  } finally {
    await app.stop();
  }
}, 60_000);
