import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { until } from '../../../../tools/until.ts';
import { range } from '../../../support/language/appends.ts';
import { type Person, type TestApp, startApp } from '../../../support/stages/app.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../../../support/stages/board.ts';
import { type LogServer, logKinds } from '../../../support/stages/log-servers.ts';
import { talkAtLength } from '../../../support/stages/long-conversation.ts';

type Line = Record<string, unknown> & { data: Record<string, unknown> };

describe.each(logKinds)('the export of the log, in $name', ({ name, open }) => {
  let log: LogServer;
  let app: TestApp;
  let cast: Cast;
  let board: Board;
  let auditor: Person;
  beforeAll(async () => {
    log = await open();
    app = await startApp(log.env);
    cast = await gatherCast(app);
    board = await setUpBoard(app, cast);
    auditor = await app.hireAuditor();
  });
  afterAll(async () => {
    await app.stop();
    await log.close();
  });

  async function exported(query = '', headers: Record<string, string> = {}) {
    const answer = await app.ask('GET', `/v1/audit/events${query}`, { as: auditor, headers });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    return { events: lines.slice(0, -1), last: lines.at(-1) as unknown as { next: string | null } };
  }
  const grant = async (scope: object, as = auditor) => {
    const body = { reason: 'A complaint', scope, minutes: 5 };
    const { body: granted } = await app.ask('POST', '/v1/audit/access-grants', { as, body });
    return String(granted['grantId']);
  };

  test('has every event in the order of the log, and ends with null at its end', async () => {
    const { events, last } = await exported();
    const stored = await log.beside(app.databaseUrl, (store) =>
      store.readStored({ after: 0, limit: 100_000 }),
    );
    expect(events.map(({ position }) => position)).toStrictEqual(
      stored.map(({ position }) => String(position)),
    );
    expect(last).toStrictEqual({ next: null });
    expect(Object.keys(events[0]!)).toStrictEqual([
      ...['position', 'id', 'stream', 'revision', 'type', 'v', 'occurredAt', 'recordedAt'],
      ...['actorId', 'correlationId', 'causationId', 'data'],
    ]);
  });

  test('goes on after the position that a limited answer ends with', async () => {
    const whole = (await exported()).events;
    const pages: Line[] = [];
    for (let next: string | null = '0'; next !== null;) {
      const { events, last } = await exported(`?limit=7&afterPosition=${next}`);
      pages.push(...events);
      next = last.next;
    }
    expect(pages).toStrictEqual(whole);
  });

  test('finds what followed from a request by the trace of its caller', async () => {
    const traceId = '4bf92f3577b3fda6f3ce929d0e0e4736';
    const body = { reason: 'Follow me', scope: { groupId: board.groupId }, minutes: 1 };
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body, headers });
    const correlation = '4BF92F35-77B3-FDA6-F3CE-929D0E0E4736';
    const { events } = await exported(`?correlation=${correlation}`);
    expect(events).toMatchObject([
      {
        type: 'AccessGranted',
        correlationId: correlation.toLowerCase(),
        data: { grantId: answer.body['grantId'] },
      },
    ]);
  });

  test('shows no personal text without a grant', async () => {
    const { events } = await exported();
    const text = JSON.stringify(events);
    for (const secret of ['Hello', 'cv.txt', 'Ada', 'Colleague']) expect(text).not.toContain(secret);
    expect(events.find(({ type }) => type === 'MessageSent')?.data['text']).toBe('[redacted]');
    expect(events.find(({ type }) => type === 'ApplicationSubmitted')?.data['coverLetter']).toBeNull();
  });

  test('shows with a grant what is in its scope, and nothing else', async () => {
    const withGrant = async (scope: object) =>
      JSON.stringify((await exported('', { 'x-access-grant': await grant(scope) })).events);
    const ofGroup = await withGrant({ groupId: board.groupId });
    expect(ofGroup).toContain('Hello');
    expect(ofGroup).toContain('cv.txt');
    expect(ofGroup).not.toContain('Colleague');
    const ofUser = await withGrant({ userId: cast.admin.userId });
    expect(ofUser).toContain('Colleague');
    expect(ofUser).not.toContain('Hello');
  });

  test('refuses a grant that is unknown, foreign or ended', async () => {
    const other = await app.hireAuditor();
    const ended = await grant({ groupId: board.groupId });
    const url = `/v1/audit/access-grants/${ended}`;
    expect(await app.ask('DELETE', url, { as: other })).toMatchObject({ status: 404 });
    for (let time = 0; time < 2; time += 1)
      expect(await app.ask('DELETE', url, { as: auditor })).toMatchObject({ status: 200 });
    for (const grantId of [randomUUID(), await grant({ groupId: board.groupId }, other), ended]) {
      const headers = { 'x-access-grant': grantId };
      const answer = await app.ask('GET', '/v1/audit/events', { as: auditor, headers });
      expect(answer).toMatchObject({ status: 403, body: { code: 'GRANT_NOT_OPEN' } });
    }
    const headers = { 'x-access-grant': 'none' };
    expect(await app.ask('GET', '/v1/audit/events', { as: auditor, headers })).toMatchObject({ status: 400 });
  });

  test('opens no text for a reason that shows nothing', async () => {
    const body = { reason: ' \u200b ', scope: { groupId: board.groupId }, minutes: 1 };
    const answer = await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/reason' }] } });
  });

  test('lists the grants of all auditors, newest first, page by page', async () => {
    const made: string[] = [];
    for (const minutes of [1, 2, 3]) {
      const body = { reason: `Complaint ${minutes}`, scope: { userId: cast.member.userId }, minutes };
      const answer = await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body });
      expect(answer).toMatchObject({ status: 201 });
      made.unshift(String(answer.body['grantId']));
    }
    const { body } = await app.ask('GET', '/v1/audit/access-grants?limit=2', {
      as: auditor,
      headers: { 'x-min-position': String((await exported()).events.at(-1)!['position']) },
    });
    expect((body['data'] as { grantId: string }[]).map(({ grantId }) => grantId)).toStrictEqual(
      made.slice(0, 2),
    );
    expect(body['data']).toMatchObject([
      { auditorId: auditor.userId, reason: 'Complaint 3', endedAt: null },
      {},
    ]);
    const cursor = String(body['nextCursor']);
    const rest = await app.ask('GET', `/v1/audit/access-grants?limit=1&cursor=${cursor}`, { as: auditor });
    expect(rest.body['data']).toMatchObject([{ grantId: made[2] }]);
  });

  test.each([
    ['stream=nothing-1', '/stream'],
    ['category=nothing', '/category'],
    ['type=1', '/type'],
    ['actor=me', '/actor'],
    ['correlation=1', '/correlation'],
    ['from=yesterday', '/from'],
    ['to=2026-02-30T00:00:00Z', '/to'],
    ['afterPosition=-1', '/afterPosition'],
    ['limit=0', '/limit'],
    ['limit=1000000001', '/limit'],
    ['page=1', '/page'],
  ])('refuses a bad filter: %s', async (query, pointer) => {
    const answer = await app.ask('GET', `/v1/audit/events?${query}`, { as: auditor });
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', errors: [{ pointer }] } });
  });

  if (name === 'EventStoreDB')
    test('refuses a position that is none of the log', async () => {
      const answer = await app.ask('GET', '/v1/audit/events?afterPosition=7', { as: auditor });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'BAD_REQUEST', errors: [{ pointer: '/afterPosition' }] },
      });
    });

  test('filters by all that is asked for', async () => {
    const stream = `chatGroup-${board.groupId}`;
    const { events } = await exported(`?stream=${stream}&type=MemberJoined,MessageSent&actor=system`);
    expect(events.map(({ type }) => type)).toStrictEqual(['MemberJoined', 'MemberJoined']);
    expect(events.every((event) => event['stream'] === stream && event['actorId'] === null)).toBe(true);
  });

  test('runs only a few at a time, and frees the place of a reader who has gone', async () => {
    const url = new URL('/v1/audit/events', app.url);
    const headers = { authorization: `Bearer ${auditor.accessToken}` };
    const { groupId } = board;
    await log.beside(app.databaseUrl, (store) =>
      talkAtLength(store, { groupId, userId: cast.member.userId }),
    );
    const grantId = await grant({ groupId: board.groupId });
    const stalled = range(2).map(() =>
      requestHttp(url, { headers: { ...headers, 'x-access-grant': grantId } })
        .on('error', () => {})
        .end(),
    );
    const answers = await Promise.all(stalled.map((reader) => once(reader, 'response')));
    expect(answers.map(([answer]) => (answer as IncomingMessage).statusCode)).toStrictEqual([200, 200]);
    const third = await app.ask('GET', '/v1/audit/events?limit=1', { as: auditor });
    expect(third).toMatchObject({ status: 429, body: { code: 'TOO_MANY_EXPORTS', retryable: true } });
    for (const reader of stalled) reader.destroy();
    await until(
      async () => (await app.ask('GET', '/v1/audit/events?limit=1', { as: auditor })).status === 200,
      'a free place',
    );
  }, 60_000);
});
