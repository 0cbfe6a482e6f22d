import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { until } from '../../../tools/until.ts';
import { type Person, type TestApp, startApp } from '../../support/stages/app.ts';
import { type Cast, gatherCast, setUpBoard } from '../../support/stages/board.ts';
import { talkAtLength } from '../../support/stages/long-conversation.ts';
import { withPostgresLog } from '../../support/stages/open-logs.ts';

interface Exported {
  name: string;
  method: string;
  path: string;
  /** Who asks, and with which body. */
  by: 'member' | 'auditor';
  body?: () => object;
}

describe('an export whose reader does not read is cut', () => {
  let app: TestApp;
  let cast: Cast;
  let auditor: Person;

  beforeAll(async () => {
    app = await startApp();
    cast = await gatherCast(app);
    const board = await setUpBoard(app, cast);
    auditor = await app.hireAuditor();
    const { groupId } = board;
    const position = await withPostgresLog(app.databaseUrl, async (store) => {
      await talkAtLength(store, { groupId, userId: cast.admin.userId });
      return talkAtLength(store, { groupId, userId: cast.member.userId });
    });
    const headers = { 'x-min-position': String(position) };
    await until(
      async () => (await app.ask('GET', '/v1/groups', { as: cast.member, headers })).status === 200,
      'the read models to catch up',
      30_000,
    );
  }, 60_000);
  afterAll(() => app.stop());

  const EXPORTS: Exported[] = [
    { name: 'of one’s own data', method: 'GET', path: '/v1/privacy/export', by: 'member' },
    {
      ...{ name: 'of a person', method: 'POST', path: '/v1/privacy/exports', by: 'auditor' },
      body: () => ({ userId: cast.member.userId }),
    },
    { name: 'of the log', method: 'GET', path: '/v1/audit/events', by: 'auditor' },
  ];
  const callerOf = ({ by }: Exported) => app.logIn(by === 'member' ? cast.member : auditor);
  async function grant(): Promise<string> {
    const scope = { userId: cast.member.userId };
    const body = { reason: 'Asked by Ada', scope, minutes: 5 };
    return String((await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body })).body['grantId']);
  }

  /** Opens the export, with its text, and reads nothing of its contents. */
  async function stall(
    { method, path, by, body }: Exported,
    as: Person,
    grantId?: string,
  ): Promise<IncomingMessage> {
    const headers = by === 'member' ? {} : { 'x-access-grant': grantId ?? (await grant()) };
    const sending = requestHttp(new URL(path, app.url), {
      method,
      headers: {
        authorization: `Bearer ${as.accessToken}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    sending.on('error', () => {});
    sending.end(body && JSON.stringify(body()));
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    // Kept alive it would keep a server from stopping.
    expect(answer).toMatchObject({ statusCode: 200, headers: { connection: 'close' } });
    return answer;
  }
  /** Reads the rest of an answer. Resolves with whether it claims to be all: an export of the log may say where to go on. */
  async function isWhole(answer: IncomingMessage): Promise<boolean> {
    let end = '';
    answer.on('error', () => {});
    answer.on('data', (chunk: Buffer) => {
      end = (end + chunk.toString()).slice(-100);
    });
    if (!answer.closed) await once(answer, 'close').catch(() => {});
    return answer.complete && !/\{"next":"\d+"\}\n$/.test(end);
  }
  const tryOnce = async ({ method, path, body }: Exported, as: Person) => {
    const answer = await fetch(new URL(path, app.url), {
      method,
      headers: {
        authorization: `Bearer ${as.accessToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body()) }),
    });
    await answer.body?.cancel();
    return answer.status;
  };

  const logOut = (as: Person) => app.ask('POST', '/v1/auth/logout', { as });

  test.each(EXPORTS)('when its caller logs out: $name', async (exported) => {
    const [caller, other] = [await callerOf(exported), await callerOf(exported)];
    const answers = [await stall(exported, caller), await stall(exported, caller)];
    expect(await tryOnce(exported, other)).toBe(429);
    expect(await logOut(caller)).toMatchObject({ status: 204 });
    await until(async () => (await tryOnce(exported, other)) === 200, 'the places to be free');
    for (const answer of answers) expect(await isWhole(answer)).toBe(false);
  });

  test('when the grant ends that opened its text', async () => {
    const exported = EXPORTS[1]!;
    const grantId = await grant();
    const answers = [await stall(exported, auditor, grantId), await stall(exported, auditor, grantId)];
    expect(await app.ask('DELETE', `/v1/audit/access-grants/${grantId}`, { as: auditor })).toMatchObject({
      status: 200,
    });
    await until(async () => (await tryOnce(exported, auditor)) === 200, 'the places to be free');
    for (const answer of answers) expect(await isWhole(answer)).toBe(false);
  });

  test('when its caller asks to be erased', async () => {
    const exported = EXPORTS[0]!;
    const caller = await callerOf(exported);
    const answers = [await stall(exported, caller), await stall(exported, caller)];
    const { password } = caller;
    expect(await app.ask('DELETE', '/v1/me', { as: caller, body: { password } })).toMatchObject({
      status: 202,
    });
    const other = await callerOf(exported);
    await until(async () => (await tryOnce(exported, other)) === 200, 'the places to be free');
    for (const answer of answers) expect(await isWhole(answer)).toBe(false);
  });

  test('when its caller is erased', async () => {
    const exported = EXPORTS[0]!;
    const { admin } = cast;
    const answers = [await stall(exported, admin), await stall(exported, admin)];
    const erasure = { as: auditor, body: { userId: admin.userId } };
    expect(await app.ask('POST', '/v1/privacy/erasures', erasure)).toMatchObject({ status: 202 });
    await until(async () => (await tryOnce(exported, auditor)) === 200, 'the places to be free', 15_000);
    for (const answer of answers) expect(await isWhole(answer)).toBe(false);
  });

  test('when the server stops', async () => {
    const answers: IncomingMessage[] = [];
    for (const exported of EXPORTS) answers.push(await stall(exported, await callerOf(exported)));
    await app.stop();
    for (const answer of answers) expect(await isWhole(answer)).toBe(false);
  });
});
