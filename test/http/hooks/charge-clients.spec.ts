import { randomUUID } from 'node:crypto';
import { UserId } from '../../../src/events/ids.ts';
import { SCOPES } from '../../../src/auth/clients/scopes.ts';
import { httpStage } from '../../support/stages/http-stage.ts';
import { rateLimitsOf } from '../../support/stages/rate-limits.ts';

describe('The budget of a client', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  /** Users that were looked up. */
  let lookedUp: string[];

  beforeEach(async () => {
    lookedUp = [];
    stage = await httpStage({
      identify: async (clientId) => ({
        ...{
          clientId,
          scopes: SCOPES,
          sessionId: 'a session',
          kid: 'a key',
          expiresAt: Number.MAX_SAFE_INTEGER,
        },
      }),
      users: {
        actorFor: async (_client: unknown, userId: UserId) => {
          lookedUp.push(userId);
          return { userId, role: 'applicant' };
        },
        deactivate: async () => {},
      } as never,
      rateLimits: rateLimitsOf({ clientRequestsPerMinute: 12, messagesPerMinute: 2, requestsPerMinute: 1 }),
    });
  });
  afterEach(() => stage.close());

  const as = (client: string, user?: string) => ({
    ...{ authorization: `Bearer ${client}` },
    ...(user !== undefined && { 'x-act-as': user }),
  });
  const deactivate = (client: string) =>
    stage.ask('POST', `/v1/users/${randomUUID()}/deactivate`, { headers: as(client) });
  const send = (client: string, user: string) =>
    stage.ask('POST', `/v1/groups/${randomUUID()}/messages`, {
      ...{ body: { clientMsgId: randomUUID(), text: 'Hi' }, headers: as(client, user) },
    });

  test('pays for its calls, and is its own', async () => {
    const first = await deactivate('acme');
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({ 'ratelimit-policy': '"clients";q=12;w=60' });
    expect(first.headers['ratelimit']).toMatch(/^"clients";r=7;/);
    expect((await deactivate('acme')).status).toBe(200);
    const refused = await deactivate('acme');
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(refused.headers['ratelimit']).toMatch(/^"clients";r=2;/);
    expect((await deactivate('other')).status).toBe(200);
  });

  test('pays for calls for all of its users, whose own budgets stay as they are', async () => {
    const [ada, bob] = [UserId.parse(randomUUID()), UserId.parse(randomUUID())];
    expect((await send('acme', ada)).status).toBe(404);
    expect((await send('acme', bob)).status).toBe(404);
    expect((await send('acme', bob)).status).toBe(429);
    // Refused before anything was looked up.
    expect(lookedUp).toStrictEqual([ada, bob]);
  });

  test('counts a message in the bucket of the user as well, whichever client it comes from', async () => {
    const ada = UserId.parse(randomUUID());
    const sent = await send('acme', ada);
    expect(sent.headers['ratelimit']).toMatch(/^"messages";r=1;/);
    expect((await send('other', ada)).status).toBe(404);
    const refused = await send('third', ada);
    expect(refused.status).toBe(429);
    expect(refused.headers['ratelimit-policy']).toBe('"messages";q=2;w=60');
  });
});
