import { randomUUID } from 'node:crypto';
import type { TraceNode } from '../../../../src/audit/trace.ts';
import { type Person, type TestApp, startApp } from '../../../support/stages/app.ts';
import { type LogServer, logKinds } from '../../../support/stages/log-servers.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../../../support/stages/board.ts';

describe.each(logKinds)('a trace, in $name', ({ open }) => {
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

  async function idOf(filter: string, nth = 0): Promise<string> {
    const { text } = await app.ask('GET', `/v1/audit/events?${filter}`, { as: auditor });
    return (JSON.parse(text.split('\n')[nth]!) as { id: string }).id;
  }
  async function traced(id: string) {
    const { status, body } = await app.ask('GET', `/v1/audit/trace/${id}`, { as: auditor });
    expect(status).toBe(200);
    return body as unknown as { event: TraceNode; truncated: boolean };
  }
  /** The tree in one direction, as nested lists of relation and type. */
  const shape = (nodes: TraceNode[], direction: 'causes' | 'effects'): unknown[] =>
    nodes.map((node) => {
      const next = shape(node[direction], direction);
      return [`${node.relation} ${node.type}`, ...(next.length > 0 ? [next] : [])];
    });
  const applied = () => idOf(`stream=application-${board.jobId}~${cast.member.userId}`);

  test('leads from an application to the membership, and to the messages of the member', async () => {
    const { event, truncated } = await traced(await applied());
    expect(event).toMatchObject({
      type: 'ApplicationSubmitted',
      relation: null,
      actorId: cast.member.userId,
    });
    expect(shape(event.effects, 'effects')).toStrictEqual([
      ['caused MemberJoined', [['reliedOn MessageSent']]],
    ]);
    expect(truncated).toBe(false);
  });

  test('leads from a message to the membership that it relied on, and to the application', async () => {
    const { event } = await traced(await idOf(`stream=conversation-${board.groupId}`));
    expect(event).toMatchObject({ type: 'MessageSent', data: { text: '[redacted]' } });
    const [joined, ...others] = event.causes.filter(({ type }) => type === 'MemberJoined');
    expect(others).toStrictEqual([]);
    expect(joined).toMatchObject({ relation: 'reliedOn', data: { userId: cast.member.userId } });
    expect(joined!.causes[0]).toMatchObject({ relation: 'caused', id: await applied() });
    expect(JSON.stringify(shape(event.causes, 'causes'))).toContain('reliedOn JobConversationsFixed');
  });

  test('tells why a member was removed', async () => {
    const rejected = await app.ask('PATCH', `/v1/applications/${board.applicationId}`, {
      as: cast.owner,
      body: { status: 'rejected', reason: 'No' },
    });
    expect(rejected.status).toBe(200);
    const { event } = await traced(await idOf(`stream=chatGroup-${board.groupId}&type=MemberRemoved`));
    expect(event.causes[0]).toMatchObject({
      ...{ relation: 'caused', type: 'ApplicationStatusChanged', actorId: cast.owner.userId },
      data: { status: 'rejected', reason: '[redacted]' },
    });
  });

  test('leaves out what a former member did in another membership', async () => {
    const { event } = await traced(await idOf(`stream=application-${board.jobId}~${cast.exMember.userId}`));
    expect(shape(event.effects, 'effects')).toStrictEqual([['caused MemberJoined']]);
  });

  test('is not there for an event that is not there', async () => {
    const answer = await app.ask('GET', `/v1/audit/trace/${randomUUID()}`, { as: auditor });
    expect(answer).toMatchObject({ status: 404, body: { code: 'EVENT_NOT_FOUND' } });
  });
});
