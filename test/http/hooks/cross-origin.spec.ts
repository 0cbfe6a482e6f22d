import { httpStage } from '../../support/stages/http-stage.ts';
import { limitsOf } from '../../support/stages/rate-limits.ts';

const APP = 'https://app.example.org';
const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization',
};

describe('a page of another origin', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  beforeAll(async () => {
    stage = await httpStage({ settings: { trustedProxies: [], allowedOrigins: [APP], ...limitsOf() } });
  });
  afterAll(() => stage.close());

  test('may call when it is allowed to', async () => {
    const { status, headers } = await stage.ask('OPTIONS', '/v1/jobs', {
      headers: { origin: APP, ...preflight },
    });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-headers': 'authorization',
      vary: expect.stringContaining('Origin'),
    });
    const answer = await stage.ask('GET', '/health/live', { headers: { origin: APP } });
    expect(answer.headers['access-control-allow-origin']).toBe(APP);
    expect(answer.headers['access-control-expose-headers']).toContain('Retry-After');
  });

  test.each(['https://evil.example.org', 'null', `${APP}.evil.example`, 'https://xapp.example.org'])(
    'is told nothing when it is %s',
    async (origin) => {
      const answer = await stage.ask('OPTIONS', '/v1/jobs', { headers: { origin, ...preflight } });
      for (const { headers } of [answer, await stage.ask('GET', '/health/live', { headers: { origin } })]) {
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['access-control-allow-credentials']).toBeUndefined();
      }
    },
  );

  test('may not be any when none is named', async () => {
    const closed = await httpStage();
    const { headers } = await closed.ask('GET', '/health/live', { headers: { origin: APP } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    await closed.close();
  });
});
