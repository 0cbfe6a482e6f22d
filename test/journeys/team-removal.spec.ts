import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type Socket, io } from 'socket.io-client';
import { MOST_THREADS } from '../../src/queries/groups.ts';
import { ApplicationId, GroupId, InvitationId, JobId, UserId } from '../../src/events/ids.ts';
import { chatGroupStream, companyStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { ChatProblem, type Session, call, logIn } from '../../tools/rest.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { event } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { withPostgresLog } from '../support/stages/open-logs.ts';

const THREADS = 1_000;
/** Messages that are sent after the removal, on both nodes. */
const AFTERWARDS = 200;

interface Frame {
  name: string;
  payload: { groupId?: string; groups?: Record<string, number>; data?: { messageId?: string } };
}

/** The index of a position, which is written `<epoch>.<index>`. */
const indexOf = (position: string) => Number(position.slice(position.indexOf('.') + 1));

describe('a teammate with a thousand threads on two nodes', () => {
  let database: TestDatabase;
  let redis: Redis;
  let nodes: ServerProcess[];
  let owner: Session;
  let recruiter: Session;
  const sockets: Socket[] = [];
  const jobId = JobId.parse(newId());
  const roomId = GroupId.parse(newId());
  const threads = Array.from({ length: THREADS }, () => GroupId.parse(newId()));
  let companyId: UserId;
  let recruiterId: UserId;

  const inLog = <T>(work: Parameters<typeof withPostgresLog<T>>[1]) => withPostgresLog(database.url, work);

  async function register(displayName: string) {
    const person = { email: `${randomUUID()}@example.org`, password: randomUUID() };
    await call(nodes[0]!.url, 'POST', '/v1/auth/register', {
      body: { role: 'company', displayName, ...person },
    });
    return logIn(nodes[0]!.url, person.email, person.password);
  }

  /** A job with a thread for each of a thousand applicants, and the recruiter in the company. */
  const history = () => [
    event('JobPosted', {
      ...{
        jobId,
        groupId: roomId,
        companyId,
        title: 'Engineer',
        description: 'Builds engines',
        location: null,
      },
      conversations: 'private',
    }),
    event('ChatGroupCreated', { groupId: roomId, jobId, name: 'Engineer', adminId: companyId, kind: 'team' }),
    event('TeammateJoined', {
      ...{ companyId, userId: recruiterId, invitationId: InvitationId.parse(newId()) },
      ...{ role: 'recruiter', jobIds: null },
    }),
    ...threads.flatMap((groupId) => {
      const applicantId = UserId.parse(newId());
      const applicationId = ApplicationId.parse(newId());
      return [
        event('ApplicationSubmitted', {
          ...{ applicationId, jobId, groupId, applicantId, isPrivate: true, coverLetter: null },
        }),
        event('ChatGroupCreated', {
          ...{ groupId, jobId, name: 'Engineer', adminId: companyId },
          ...{ kind: 'thread', applicationId, applicantId },
        }),
        event('MemberJoined', { groupId, userId: applicantId, role: 'member' }),
      ];
    }),
  ];

  /** Opens a socket that keeps everything it hears. */
  async function listen(node: ServerProcess, { accessToken: token }: Session) {
    const heard: Frame[] = [];
    const socket = io(node.url, { transports: ['websocket'], auth: { token }, reconnection: false });
    sockets.push(socket);
    socket.onAny((name: string, payload: Frame['payload']) => heard.push({ name, payload }));
    const rooms = () =>
      new Set(heard.filter(({ name }) => name === 'joinRoom').map(({ payload }) => payload.groupId));
    await until(() => rooms().size > MOST_THREADS, 'the socket to enter its rooms');
    return {
      heard,
      socket,
      messageIds: () =>
        heard.flatMap(({ name, payload }) => (name === 'messageSent' ? payload.data!.messageId! : [])),
      ask: (name: string, payload: object): Promise<object> =>
        socket.timeout(5_000).emitWithAck(name, payload),
    };
  }

  const refusal = (path: string) =>
    call(nodes[1]!.url, 'GET', path, { token: recruiter.accessToken }).then(
      () => 'let in',
      (error: unknown) => (error instanceof ChatProblem ? error.code : String(error)),
    );

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
    const env = {
      DATABASE_URL: database.ownerUrl,
      REDIS_URL: redis.url,
      MESSAGES_PER_MINUTE: '1000000',
      REQUESTS_PER_MINUTE: '1000000',
    };
    nodes = [await startServer({ env }), await startServer({ env })];
    owner = await register('Acme');
    recruiter = await register('Grace');
    [companyId, recruiterId] = [UserId.parse(owner.userId), UserId.parse(recruiter.userId)];
    await inLog((store) => happened(store, ...history()));
  }, 180_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    for (const node of nodes ?? []) {
      await node.killTree();
      await rm(node.dataDir, { recursive: true, force: true });
    }
    await redis?.stop();
    await database?.drop();
  }, 60_000);

  test('hears nothing that was sent after its removal, which is one event', async () => {
    const recruiters = await Promise.all([
      listen(nodes[0]!, recruiter),
      listen(nodes[1]!, recruiter),
      listen(nodes[1]!, recruiter),
    ]);
    const owners = await listen(nodes[1]!, owner);
    // One that is not among the latest.
    expect(await recruiters[1].ask('joinRoom', { groupId: threads[0] })).toMatchObject({ kind: 'thread' });

    /** Each message with its position, in the order of the answers. */
    const sent: { messageId: string; groupId: string; seq: number; index: number }[] = [];
    let isOver = false;
    const talk = async (node: ServerProcess, from: number) => {
      for (let n = from; !isOver; n += 7) {
        const groupId = n % 5 === 0 ? threads[0]! : threads[n % THREADS]!;
        const answer = await call<{ messageId: string; seq: number; position: string }>(
          ...([node.url, 'POST', `/v1/groups/${groupId}/messages`] as const),
          { token: owner.accessToken, body: { clientMsgId: randomUUID(), text: `Message ${n}` } },
        );
        const { messageId, seq, position } = answer;
        sent.push({ messageId, groupId, seq, index: indexOf(position) });
      }
    };
    const talking = Promise.all([
      talk(nodes[0]!, THREADS - 1),
      talk(nodes[1]!, THREADS - 2),
      talk(nodes[0]!, 0),
    ]);
    for (const { messageIds } of recruiters)
      await until(() => messageIds().length > 50, 'the recruiter to hear messages');

    const [removal] = await inLog((store) =>
      happened(store, event('TeammateRemoved', { companyId, userId: recruiterId })),
    );
    const afterwards = () => sent.filter(({ index }) => index > removal!.position);
    await until(() => afterwards().length > AFTERWARDS, 'messages after the removal');
    isOver = true;
    await talking;
    const last = afterwards().at(-1)!.messageId;
    const heardByOwner = () => new Set(owners.messageIds());
    const isHeard = ({ groupId }: { groupId: string }) =>
      threads.indexOf(GroupId.parse(groupId)) > MOST_THREADS;
    await until(
      () =>
        afterwards()
          .filter(isHeard)
          .every(({ messageId }) => heardByOwner().has(messageId)),
      `the owner to hear ${last}`,
    );

    const late = new Set(afterwards().map(({ messageId }) => messageId));
    const seqs = new Map<string, number>();
    for (const { groupId, seq, index } of sent)
      if (index < removal!.position) seqs.set(groupId, Math.max(seq, seqs.get(groupId) ?? 0));
    for (const { heard, messageIds, ask } of recruiters) {
      expect(messageIds().filter((id) => late.has(id))).toEqual([]);
      const heads = heard.flatMap(({ name, payload }) =>
        name === 'heads' ? Object.entries(payload.groups!) : [],
      );
      expect(heads.filter(([groupId, seq]) => seq > (seqs.get(groupId) ?? 0))).toEqual([]);
      const left = heard.filter(({ name }) => name === 'leaveRoom').map(({ payload }) => payload.groupId);
      expect(new Set(left).size).toBeGreaterThan(MOST_THREADS);
      for (const groupId of [threads[0], threads.at(-1), roomId])
        expect(await ask('joinRoom', { groupId })).toMatchObject({ error: { code: 'GROUP_NOT_FOUND' } });
      const asked = { groups: [{ groupId: threads[0], afterSeq: 0 }] };
      expect(await ask('sync', asked)).toMatchObject({ error: { code: 'GROUP_NOT_FOUND' } });
    }
    expect(await refusal(`/v1/groups/${threads[0]}/messages`)).toBe('GROUP_NOT_FOUND');
    expect(await refusal(`/v1/groups/${roomId}`)).toBe('GROUP_NOT_FOUND');
    expect(await refusal(`/v1/jobs/${jobId}/threads`)).toBe('NOT_JOB_OWNER');
    expect(await refusal(`/v1/applications?jobId=${jobId}`)).toBe('NOT_JOB_OWNER');

    await inLog(async (store) => {
      expect(await store.readStream(companyStream(companyId), { from: 0, limit: 10 })).toHaveLength(2);
      const revisions = await store.revisions(threads.map(chatGroupStream));
      expect(new Set(revisions.values())).toEqual(new Set([1]));
    });
  }, 180_000);
});
