import { randomUUID } from 'node:crypto';
import { type Socket, io } from 'socket.io-client';
import { Set as ImmutableSet } from 'immutable';
import type { RoomRight } from '../../src/commands/company/rights.ts';
import { CompanyRole } from '../../src/events/company.ts';
import { JobId } from '../../src/events/ids.ts';
import { clientEvents } from '../../src/realtime/connection/protocol.ts';
import { until } from '../../tools/until.ts';
import {
  type Application,
  type HiringTeam,
  type Room,
  type Somebody,
  has,
  hireTeam,
  mayOf,
} from '../support/journeys/hiring-team.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import { servedRoutes } from '../support/stages/served-routes.ts';

/** A call in one situation: what it is about, and the answer that follows from the table of rights. */
interface Cell {
  path: Record<string, string>;
  query?: Record<string, string>;
  body?: object | undefined;
  /** The status of a success, with what is to be seen; the code of a refusal. */
  expected: string;
  /** Returns what is to be seen in the body of a success. */
  seen?: (body: Record<string, never>) => string;
  /** Puts everything back to where it was after a success. */
  restore?: () => Promise<unknown>;
}
type CellOf<T> = (who: Somebody, what: T) => Cell | Promise<Cell>;

const EMOJI = '👍';
const bodyOfMessage = (text = 'Hello') => ({ clientMsgId: randomUUID(), text });

let app: TestApp;
let story: HiringTeam;
beforeAll(async () => {
  app = await startApp();
  story = await hireTeam(app);
}, 120_000);
afterAll(async () => {
  for (const socket of sockets.values()) socket.disconnect();
  await app?.stop();
});

/** The sockets of everybody, and what they have heard. */
const sockets = new Map<Somebody, Socket>();
type Heard = [name: string, payload: { groupId?: string; data?: { messageId?: string } }];
const heard = new Map<Somebody, Heard[]>();

async function askSocket(who: Somebody, name: string, payload: object): Promise<string> {
  const answer = (await sockets.get(who)!.timeout(5_000).emitWithAck(name, payload)) as {
    ok: boolean;
    error?: { code: string };
  };
  return answer.ok ? 'ok' : answer.error!.code;
}

/** The answer to somebody with a right in a room; for others a refusal, which shows those who may not read it nothing. */
function inRoom(
  who: Somebody,
  room: Room,
  right: RoomRight,
  success: number | string,
  refused = 'ROLE_NOT_ALLOWED',
) {
  if (has(who, room, right)) return String(success);
  return has(who, room, 'read') ? refused : 'GROUP_NOT_FOUND';
}
/** The same for what only the author of a message may do, or with a right those who manage the room. */
function onMessage(who: Somebody, room: Room, right: 'write' | 'manage'): string {
  if (who === room.speaker) return '200';
  const answer = inRoom(
    who,
    room,
    right,
    right === 'manage' ? 200 : 'NOT_MESSAGE_AUTHOR',
    'NOT_MESSAGE_AUTHOR',
  );
  return right === 'write' && has(who, room, 'read') && !has(who, room, 'write')
    ? 'ROLE_NOT_ALLOWED'
    : answer;
}
const say = (who: Somebody, { groupId }: Room, text?: string) =>
  story.must(who, 'POST', `/v1/groups/${groupId}/messages`, bodyOfMessage(text));
const add = (who: Somebody, { groupId }: Room, role?: string) =>
  story.must(story.owner, 'POST', `/v1/groups/${groupId}/members`, { userId: who.person.userId, role });

const inPath = ({ groupId }: Room, more: Record<string, string> = {}) => ({ groupId, ...more });
const idsOf = (
  body: { data?: { id?: string; applicationId?: string; groupId?: string; jobId?: string }[] },
  key: 'id' | 'groupId' | 'jobId',
) => (body.data ?? []).map((each) => each[key]);

/** Every call about a room. */
const roomCalls: Record<string, CellOf<Room>> = {
  'GET /v1/groups': (who, room) => ({
    path: {},
    query: { limit: '100' },
    expected: `200 ${has(who, room, 'read')}`,
    seen: (body) => String(idsOf(body, 'id').includes(room.groupId)),
  }),
  'GET /v1/groups/:groupId': (who, room) => ({
    path: inPath(room),
    expected: inRoom(who, room, 'read', `200 ${room.kind}`),
    seen: ({ kind }) => String(kind),
  }),
  'GET /v1/groups/:groupId/members': (who, room) => ({
    path: inPath(room),
    expected: inRoom(who, room, 'read', 200),
  }),
  'GET /v1/groups/:groupId/messages': (who, room) => ({
    path: inPath(room),
    query: { limit: '1', afterSeq: '0' },
    expected: inRoom(who, room, 'read', `200 ${room.messageId}`),
    seen: (body) => String(idsOf(body, 'id')),
  }),
  'GET /v1/groups/:groupId/messages/:messageId': (who, room) => ({
    path: inPath(room, { messageId: room.messageId }),
    expected: inRoom(who, room, 'read', `200 ${room.messageId}`),
    seen: ({ id }) => String(id),
  }),
  'GET /v1/users': (who, { speaker }) => ({
    path: {},
    query: { ids: speaker.person.userId },
    expected: `200 ${
      // The owner has posted jobs.
      [who, story.owner].includes(speaker) ||
      story.rooms.some((room) => room.joined.has(speaker) && has(who, room, 'read'))
    }`,
    seen: ({ data }) => String(((data ?? []) as unknown[]).length === 1),
  }),
  'GET /v1/search/messages': (who, room) => ({
    path: {},
    query: { q: 'Hello', groupId: room.groupId, limit: '1' },
    expected: inRoom(who, room, 'read', `200 ${room.groupId}`),
    seen: (body) => String(idsOf(body, 'groupId')),
  }),
  'PUT /v1/groups/:groupId/read': (who, room) => ({
    path: inPath(room),
    body: { seq: 1 },
    expected: inRoom(who, room, 'read', 200),
  }),
  'PUT /v1/groups/:groupId/mute': (who, room) => ({
    path: inPath(room),
    expected: inRoom(who, room, 'read', 200),
  }),
  'DELETE /v1/groups/:groupId/mute': (who, room) => ({
    path: inPath(room),
    expected: inRoom(who, room, 'read', 200),
  }),
  'POST /v1/groups/:groupId/messages': (who, room) => ({
    path: inPath(room),
    body: bodyOfMessage(),
    expected: inRoom(who, room, 'write', 201),
  }),
  'PATCH /v1/groups/:groupId/messages/:messageId': (who, { messageId, ...room }) => ({
    path: inPath({ ...room, messageId }, { messageId }),
    body: { text: `Hello, ${randomUUID()}` },
    expected: onMessage(who, { ...room, messageId }, 'write'),
  }),
  'DELETE /v1/groups/:groupId/messages/:messageId': async (who, room) => ({
    path: inPath(room, { messageId: (await say(room.speaker, room))['messageId']! }),
    expected: onMessage(who, room, 'manage'),
  }),
  'PUT /v1/groups/:groupId/messages/:messageId/reactions/:emoji': (who, room) => ({
    path: inPath(room, { messageId: room.messageId, emoji: EMOJI }),
    expected: inRoom(who, room, 'write', 200),
  }),
  'DELETE /v1/groups/:groupId/messages/:messageId/reactions/:emoji': (who, room) => ({
    path: inPath(room, { messageId: room.messageId, emoji: EMOJI }),
    expected: inRoom(who, room, 'write', 200),
  }),
  'POST /v1/groups/:groupId/members': (who, room) => ({
    path: inPath(room),
    body: { userId: story.helper.person.userId },
    expected: inRoom(who, room, 'manage', 200, 'NOT_GROUP_ADMIN'),
  }),
  'DELETE /v1/groups/:groupId/members/:userId': async (who, room) => {
    await add(story.helper, room);
    return {
      path: inPath(room, { userId: story.helper.person.userId }),
      expected: inRoom(who, room, 'manage', 200, 'NOT_GROUP_ADMIN'),
    };
  },
  'POST /v1/files': (who, room) => ({
    path: {},
    body: { groupId: room.groupId, name: 'cv.txt', contentType: 'text/plain', size: 5 },
    expected: inRoom(who, room, 'files', 201),
  }),
  'POST /files': (who, room) => ({
    path: {},
    body: { groupId: room.groupId, name: 'cv.txt', contentType: 'text/plain', size: 5 },
    expected: inRoom(who, room, 'files', 201),
  }),
  'GET /v1/files/:fileId': (who, room) => ({
    path: { fileId: room.fileId },
    expected: who === room.speaker || has(who, room, 'files') ? '200' : 'FILE_NOT_FOUND',
  }),
  'POST /v1/files/:fileId/complete': (who, room) => ({
    path: { fileId: room.fileId },
    expected: who === room.speaker ? '202' : 'FILE_NOT_FOUND',
  }),
};

const isReader = (who: Somebody, application: Application) =>
  who === application.applicant || mayOf(who, 'readThreads', application);
/** Who was added to a thread may read it, but not the application that it is about. */
const isInThread = (who: Somebody, application: Application) => {
  const isAdded = story.rooms.some((room) => room.groupId === application.groupId && room.joined.has(who));
  return application.applicant === who || mayOf(who, 'readThreads', { ...application, isAdded });
};
/** The answer of a decision about an application. */
function onApplication(who: Somebody, application: Application): string {
  if (!isReader(who, application)) return 'APPLICATION_NOT_FOUND';
  return mayOf(who, 'decide', application) ? '200' : 'NOT_JOB_OWNER';
}
/** The answer to people of the company; for others of companies a refusal. */
const ofCompany = ({ teammate }: Somebody, success: string) =>
  teammate === undefined ? 'NOT_JOB_OWNER' : success;
const sorted = (ids: readonly unknown[]) => ids.map(String).toSorted().join();

/** Every call about a job. */
const jobCalls: Record<string, CellOf<string>> = {
  'POST /v1/admin/jobs/:jobId/close': (_, jobId) => ({
    path: { jobId },
    body: { reason: 'A complaint' },
    expected: 'ROLE_NOT_ALLOWED',
  }),
  'GET /v1/jobs': (who, jobId) => ({
    path: {},
    query: { mine: 'true', limit: '100' },
    expected: `200 ${
      who.role === 'company'
        ? mayOf(who, 'readTeamRoom', { jobId })
        : story.applications.some((each) => each.jobId === jobId && each.applicant === who)
    }`,
    seen: (body) => String(idsOf(body, 'jobId').includes(jobId)),
  }),
  'GET /v1/jobs/:jobId': (_, jobId) => ({ path: { jobId }, expected: '200' }),
  'GET /v1/jobs/:jobId/threads': (who, jobId) => ({
    path: { jobId },
    expected: ofCompany(
      who,
      `200 ${sorted(
        story.applications
          .filter((each) => each.jobId === jobId && story.group.jobId !== jobId && isInThread(who, each))
          .map(({ groupId }) => groupId),
      )}`,
    ),
    seen: (body) => sorted(idsOf(body, 'groupId')),
  }),
  'GET /v1/applications': (who, jobId) => {
    const ids = sorted(
      story.applications
        .filter((each) => each.jobId === jobId && isReader(who, each))
        .map(({ applicationId }) => applicationId),
    );
    return {
      path: {},
      query: { jobId },
      expected: who.role === 'company' ? ofCompany(who, `200 ${ids}`) : `200 ${ids}`,
      seen: (body) => sorted(idsOf(body, 'id')),
    };
  },
  'POST /v1/jobs/:jobId/applications': ({ role }, jobId) => ({
    path: { jobId },
    body: {},
    expected: role === 'applicant' ? '200' : 'ROLE_NOT_ALLOWED',
  }),
  'POST /apply': ({ role }, jobId) => ({
    path: {},
    body: { jobId },
    expected: role === 'applicant' ? '200' : 'ROLE_NOT_ALLOWED',
  }),
  'PATCH /v1/jobs/:jobId': (who, jobId) => ({
    path: { jobId },
    body: { title: `Engineer ${randomUUID()}` },
    expected: mayOf(who, 'changeJobs', { jobId }) ? '200' : 'NOT_JOB_OWNER',
  }),
};

const postJob: CellOf<undefined> = (who) => ({
  path: {},
  body: { title: 'Engineer', description: 'Builds engines' },
  // Who is in no company of others acts for its own.
  expected:
    mayOf(who, 'postJobs', {}) || (who.role === 'company' && !who.teammate) ? '201' : 'ROLE_NOT_ALLOWED',
});
/** Every call about no job in particular. */
const otherCalls: Record<string, CellOf<undefined>> = { 'POST /v1/jobs': postJob, 'POST /jobs': postJob };

/** Every call about an application. */
const applicationCalls: Record<string, CellOf<Application>> = {
  'PATCH /v1/applications/:applicationId': (who, application) => ({
    path: { applicationId: application.applicationId },
    body: { status: 'interview', reason: randomUUID() },
    expected: onApplication(who, application),
  }),
  'PUT /v1/applications/:applicationId/assignee': (who, application) => ({
    path: { applicationId: application.applicationId },
    body: { userId: application.assignee?.person.userId ?? null },
    expected: onApplication(who, application),
  }),
};

/** Those who read the notes get the answer, others learn nothing of them. */
const onNotes = (who: Somebody, application: Application, answer: string) =>
  mayOf(who, 'readNotes', application) ? answer : 'APPLICATION_NOT_FOUND';
const notesPath = ({ applicationId }: Application) => `/v1/applications/${applicationId}/notes`;
/** Every call about the notes on an application. */
const noteCalls: Record<string, CellOf<Application>> = {
  'GET /v1/applications/:applicationId/notes': (who, application) => ({
    path: { applicationId: application.applicationId },
    expected: onNotes(who, application, '200'),
  }),
  'POST /v1/applications/:applicationId/notes': (who, application) => ({
    path: { applicationId: application.applicationId },
    body: bodyOfMessage(),
    expected: onNotes(who, application, mayOf(who, 'writeNotes', application) ? '201' : 'ROLE_NOT_ALLOWED'),
  }),
  'DELETE /v1/applications/:applicationId/notes/:noteId': async (who, application) => ({
    path: {
      applicationId: application.applicationId,
      noteId: (await story.must(story.owner, 'POST', notesPath(application), bodyOfMessage()))['noteId']!,
    },
    expected: onNotes(who, application, mayOf(who, 'manageNotes', application) ? '200' : 'NOT_NOTE_AUTHOR'),
  }),
};

/** What ends the story for its caller, or for everybody: the last calls, in this order. */
const leave: CellOf<Room> = (who, room) => {
  const role = room.joined.get(who);
  // The first owner stays while others are there.
  const member = who === story.owner ? 'JOB_OWNER_STAYS' : '200';
  return {
    path: inPath(room, { userId: who.person.userId }),
    expected: inRoom(who, room, 'read', role ? member : 'MEMBER_NOT_FOUND'),
    restore: () => add(who, room, role),
  };
};
/** Whoever may change the job may come into its rooms. */
const comeIn: CellOf<Room> = (who, room) => ({
  path: inPath(room),
  body: { userId: who.person.userId },
  expected: mayOf(who, 'changeJobs', room) ? '200' : inRoom(who, room, 'manage', 200, 'NOT_GROUP_ADMIN'),
  restore: async () => room.joined.set(who, 'admin'),
});
const lastApplicationCalls: Record<string, CellOf<Application>> = {
  'DELETE /v1/applications/:applicationId': (who, application) => {
    const readable = isReader(who, application) ? 'NOT_APPLICANT' : 'APPLICATION_NOT_FOUND';
    return {
      path: { applicationId: application.applicationId },
      expected: who === application.applicant ? '200' : readable,
      restore: () => story.must(who, 'POST', `/v1/jobs/${application.jobId}/applications`, {}),
    };
  },
};
const lastJobCalls: Record<string, CellOf<string>> = {
  'POST /v1/jobs/:jobId/close': (who, jobId) => ({
    path: { jobId },
    expected: mayOf(who, 'changeJobs', { jobId }) ? '200' : 'NOT_JOB_OWNER',
  }),
};

/** Asks a call as somebody. Returns the answer as a cell has it. */
async function ask(route: string, who: Somebody, cell: Cell): Promise<string> {
  const [method, template] = route.split(' ') as [string, string];
  const path = template.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(cell.path[name]!));
  const query = cell.query ? `?${new URLSearchParams(cell.query).toString()}` : '';
  const answer = await app.ask(method, `${path}${query}`, {
    as: who.person,
    ...(cell.body && { body: cell.body }),
    ...(method === 'GET' && { headers: { 'x-min-position': story.newest() } }),
  });
  if (answer.status >= 300) return String(answer.body['code']);
  const seen = cell.seen?.(answer.body as Record<string, never>);
  return [answer.status, ...(seen === undefined ? [] : [seen])].join(' ');
}

/** Tries a call as everybody about everything. Returns the wrong answers, and how many there were. */
async function tryCall<T>(
  route: string,
  cellOf: CellOf<T>,
  abouts: readonly T[],
  nameOf: (about: T) => string,
): Promise<{ wrong: string[]; cells: number }> {
  const wrong: string[] = [];
  let cells = 0;
  for (const about of abouts)
    for (const who of story.everybody) {
      const cell = await cellOf(who, about);
      const answer = await ask(route, who, cell);
      cells += 1;
      if (answer !== cell.expected)
        wrong.push(`${who.name}, ${nameOf(about)}: ${answer} instead of ${cell.expected}`);
      if (cell.restore && Number(answer.slice(0, 3)) < 300) await cell.restore();
    }
  return { wrong, cells };
}

const kindOf = ({ kind }: Room) => kind;
const named = ({ applicationId }: Application) => `application ${applicationId}`;
let tried = 0;
const expectRight = ({ wrong, cells }: { wrong: string[]; cells: number }) => {
  tried += cells;
  expect(wrong).toEqual([]);
  expect(cells).toBeGreaterThanOrEqual(story.everybody.length);
};

describe('the rights of everybody around a company, over REST', () => {
  test('are tried with every call about jobs, applications, rooms and files', async () => {
    const calls = [
      roomCalls,
      jobCalls,
      otherCalls,
      applicationCalls,
      noteCalls,
      lastApplicationCalls,
      lastJobCalls,
    ];
    const isAbout = (route: string) =>
      /:(?:jobId|applicationId|groupId|fileId)|\/v1\/jobs$|\/v1\/groups$|\/v1\/applications$|\/v1\/users$|^POST \/(?:jobs|apply|files|v1\/files)$|\/search\//.test(
        route,
      ) && !/\/audit\/|\/storage\//.test(route);
    expect(calls.flatMap((each) => Object.keys(each)).toSorted()).toEqual(
      (await servedRoutes()).filter(isAbout).toSorted(),
    );
  });

  test.each(Object.keys(roomCalls))('of %s', async (route) =>
    expectRight(await tryCall(route, roomCalls[route]!, story.rooms, kindOf)),
  );

  test('of changing one’s own messages', async () => {
    for (const room of story.rooms)
      for (const who of story.everybody.filter((each) => has(each, room, 'write'))) {
        const path = inPath(room, { messageId: (await say(who, room))['messageId']! });
        const route = '/v1/groups/:groupId/messages/:messageId';
        for (const [method, body] of [['PATCH', { text: 'Hi' }], ['DELETE']] as const)
          expect([who.name, await ask(`${method} ${route}`, who, { path, body, expected: '200' })]).toEqual([
            ...[who.name, '200'],
          ]);
      }
  });

  test.each(Object.keys(jobCalls))('of %s', async (route) =>
    expectRight(await tryCall(route, jobCalls[route]!, story.jobs, String)),
  );

  test.each(Object.keys(otherCalls))('of %s', async (route) =>
    expectRight(await tryCall(route, otherCalls[route]!, [undefined], String)),
  );

  test.each(Object.keys(applicationCalls))('of %s', async (route) =>
    expectRight(await tryCall(route, applicationCalls[route]!, story.applications, named)),
  );

  test.each(Object.keys(noteCalls))('of %s', async (route) =>
    expectRight(await tryCall(route, noteCalls[route]!, story.applications, named)),
  );
});

describe('the rights of everybody around a company, over sockets', () => {
  beforeAll(async () => {
    for (const who of story.everybody) {
      const auth = { token: who.person.accessToken };
      const socket = io(app.url, { transports: ['websocket'], auth, forceNew: true });
      sockets.set(who, socket);
      heard.set(who, []);
      socket.onAny((...event: [string, object]) => heard.get(who)!.push(event));
    }
    await until(() => [...sockets.values()].every(({ connected }) => connected), 'the sockets to open');
  }, 60_000);
  type EventOf = (who: Somebody, room: Room) => object | Promise<object>;
  const about = (room: Room) => ({ groupId: room.groupId, messageId: room.messageId });
  const asOk = (answer: string) => (/^\d/.test(answer) ? 'ok' : answer);
  const needs = (right: RoomRight) => (who: Somebody, room: Room) => asOk(inRoom(who, room, right, 200));
  /** Every event that a client may send about a room: its payload, and the answer. */
  const events: Record<string, [payload: EventOf, expected: (who: Somebody, room: Room) => string]> = {
    leaveRoom: [(_, { groupId }) => ({ groupId }), needs('read')],
    joinRoom: [(_, { groupId }) => ({ groupId }), needs('read')],
    sync: [(_, { groupId }) => ({ groups: [{ groupId, afterSeq: 0 }] }), needs('read')],
    markRead: [(_, { groupId }) => ({ groupId, seq: 1 }), needs('read')],
    typing: [(_, { groupId }) => ({ groupId, isTyping: true }), needs('write')],
    sendMessage: [(_, { groupId }) => ({ groupId, ...bodyOfMessage() }), needs('write')],
    editMessage: [
      (_, room) => ({ ...about(room), text: randomUUID() }),
      (who, room) => asOk(onMessage(who, room, 'write')),
    ],
    deleteMessage: [
      async (_, room) => ({ ...about(room), messageId: (await say(room.speaker, room))['messageId'] }),
      (who, room) => asOk(onMessage(who, room, 'manage')),
    ],
    addReaction: [(_, room) => ({ ...about(room), emoji: EMOJI }), needs('write')],
    removeReaction: [(_, room) => ({ ...about(room), emoji: EMOJI }), needs('write')],
  };

  test('are tried with every event', () =>
    expect(Object.keys(events).toSorted()).toEqual(
      Object.keys(clientEvents)
        .filter((name) => name !== 'refreshAuth')
        .toSorted(),
    ));

  const entered = (who: Somebody) =>
    heard.get(who)!.flatMap(([name, { groupId }]) => (name === 'joinRoom' ? [groupId] : []));
  test('let them into the rooms that they may read, and no others', async () => {
    const isIn = (who: Somebody, room: Room) => entered(who).includes(room.groupId);
    for (const room of story.rooms)
      for (const who of story.everybody.filter((each) => has(each, room, 'read')))
        await until(() => isIn(who, room), `${who.name} to enter the ${room.kind}`);
    const inside = (is: typeof isIn) =>
      story.rooms.flatMap((room) =>
        story.everybody.filter((who) => is(who, room)).map(({ name }) => `${name}, ${room.kind}`),
      );
    expect(inside(isIn)).toEqual(inside((who, room) => has(who, room, 'read')));
  });

  test.each(Object.keys(events))('of %s', async (name) => {
    const [payloadOf, expected] = events[name]!;
    const wrong: string[] = [];
    let cells = 0;
    for (const room of story.rooms)
      for (const who of story.everybody) {
        const answer = await askSocket(who, name, await payloadOf(who, room));
        cells += 1;
        if (answer !== expected(who, room))
          wrong.push(`${who.name}, ${room.kind}: ${answer} instead of ${expected(who, room)}`);
      }
    expectRight({ wrong, cells });
  });

  test('bring every message to those who may read it, and to nobody else', async () => {
    const last = new Map<Room, string>();
    for (const room of story.rooms) last.set(room, (await say(room.speaker, room, 'News'))['messageId']!);
    const hears = (who: Somebody, room: Room) =>
      heard
        .get(who)!
        .some(([name, { data }]) => name === 'messageSent' && data?.messageId === last.get(room));
    for (const room of story.rooms)
      for (const who of story.everybody.filter((each) => has(each, room, 'read')))
        await until(() => hears(who, room), `${who.name} to hear of the ${room.kind}`);
    // An answer comes after everything that was pushed before it.
    for (const who of story.everybody)
      await askSocket(who, 'typing', { groupId: randomUUID(), isTyping: true });
    for (const room of story.rooms)
      for (const who of story.everybody)
        expect([who.name, room.kind, hears(who, room)]).toEqual([
          who.name,
          room.kind,
          has(who, room, 'read'),
        ]);
  });
});

describe('the rights of everybody around a company, to what comes last', () => {
  test('of leaving a room', async () =>
    expectRight(await tryCall('DELETE /v1/groups/:groupId/members/:userId', leave, story.rooms, kindOf)));

  test('of coming into a room', async () =>
    expectRight(await tryCall('POST /v1/groups/:groupId/members', comeIn, story.rooms, kindOf)));

  test('of withdrawing an application', async () => {
    for (const [route, cellOf] of Object.entries(lastApplicationCalls))
      expectRight(await tryCall(route, cellOf, story.applications, named));
  });

  test('of closing a job', async () => {
    for (const [route, cellOf] of Object.entries(lastJobCalls))
      expectRight(await tryCall(route, cellOf, story.jobs, String));
  });

  test('of those with another role, or other jobs, at once, on open sockets as well', async () => {
    const wrong: string[] = [];
    let cells = 0;
    const expectAnswer = (who: Somebody, what: string, answer: string, expected: string) => {
      cells += 1;
      const { role, jobIds } = who.teammate!;
      if (answer !== expected)
        wrong.push(
          `${who.name}, now ${role} of ${jobIds ? jobIds.size : 'all'}, ${what}: ${answer} instead of ${expected}`,
        );
    };
    const places = CompanyRole.options.flatMap((role) =>
      [null, [], story.jobs].map((jobIds) => ({ role, jobIds })),
    );
    for (const who of story.moving)
      for (const { role, jobIds } of places) {
        await story.must(story.owner, 'PATCH', `/v1/company/members/${who.person.userId}`, { role, jobIds });
        who.teammate = { role, jobIds: jobIds && ImmutableSet(jobIds.map((id) => JobId.parse(id))) };
        for (const room of story.rooms) {
          const { groupId } = room;
          const mayRead = inRoom(who, room, 'read', 'ok');
          const sync = { groups: [{ groupId, afterSeq: 0 }] };
          expectAnswer(who, `sync, ${room.kind}`, await askSocket(who, 'sync', sync), mayRead);
          const typing = await askSocket(who, 'typing', { groupId, isTyping: true });
          expectAnswer(who, `typing, ${room.kind}`, typing, inRoom(who, room, 'write', 'ok'));
        }
        for (const route of ['GET /v1/groups', 'GET /v1/groups/:groupId', 'GET /v1/files/:fileId'])
          for (const room of story.rooms) {
            const cell = await roomCalls[route]!(who, room);
            expectAnswer(who, `${route}, ${room.kind}`, await ask(route, who, cell), cell.expected);
          }
      }
    expectRight({ wrong, cells });
  });

  test('of the removed, who lose everything at once, on open sockets as well', async () => {
    const removed = story.everybody.filter((who) => who.teammate && who !== story.owner);
    expect(removed.length).toBeGreaterThan(7);
    for (const who of removed) {
      const before = story.rooms.filter((room) => has(who, room, 'read'));
      await story.must(story.owner, 'DELETE', `/v1/company/members/${who.person.userId}`);
      delete who.teammate;
      who.isFormer = true;
      for (const { groupId } of story.rooms)
        expect([who.name, await askSocket(who, 'sync', { groups: [{ groupId, afterSeq: 0 }] })]).toEqual([
          ...[who.name, 'GROUP_NOT_FOUND'],
        ]);
      const isOut = ({ groupId }: Room) =>
        heard.get(who)!.some(([name, payload]) => name === 'leaveRoom' && payload.groupId === groupId);
      for (const room of before) await until(() => isOut(room), `${who.name} to leave the ${room.kind}`);
    }
    for (const route of Object.keys(roomCalls).filter((each) => each.startsWith('GET')))
      expectRight(await tryCall(route, roomCalls[route]!, story.rooms, kindOf));
    for (const route of Object.keys(jobCalls).filter((each) => each.startsWith('GET')))
      expectRight(await tryCall(route, jobCalls[route]!, story.jobs, String));
    for (const [route, cellOf] of Object.entries(noteCalls))
      expectRight(await tryCall(route, cellOf, story.applications, named));

    const [thread] = story.rooms;
    const { messageId } = await say(thread!.speaker, thread!, 'They are gone');
    const hears = (who: Somebody) =>
      heard.get(who)!.some(([name, { data }]) => name === 'messageSent' && data?.messageId === messageId);
    await until(() => hears(story.owner), 'the owner to hear of it');
    for (const who of removed) await askSocket(who, 'typing', { groupId: randomUUID(), isTyping: true });
    expect(removed.filter(hears)).toEqual([]);
  });

  test('have all been tried', () => expect(tried).toBeGreaterThan(2_500));
});
