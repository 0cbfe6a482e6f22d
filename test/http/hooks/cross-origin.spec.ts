import { httpStage } from '../../support/stages/http-stage.ts';
import { limitsOf } from '../../support/stages/rate-limits.ts';

const APP = 'https://app.example.org';
const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization',
};

describe('cross-origin requests', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  beforeAll(async () => {
    stage = await httpStage({ settings: { trustedProxies: [], allowedOrigins: [APP], ...limitsOf() } });
  });
  afterAll(() => stage.close());

  test('are allowed from a configured origin', async () => {
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
    'get no CORS headers from %s',
    async (origin) => {
      const answer = await stage.ask('OPTIONS', '/v1/jobs', { headers: { origin, ...preflight } });
      for (const { headers } of [answer, await stage.ask('GET', '/health/live', { headers: { origin } })]) {
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['access-control-allow-credentials']).toBeUndefined();
      }
    },
  );

  test('are allowed from one label below a pattern, and from an app, when they are configured', async () => {
    const allowedOrigins = ['https://*.preview.example.org', 'capacitor://localhost'];
    const open = await httpStage({ settings: { trustedProxies: [], allowedOrigins, ...limitsOf() } });
    const allowed = async (origin: string) => {
      const answer = await open.ask('OPTIONS', '/v1/jobs', { headers: { origin, ...preflight } });
      const { headers } = await open.ask('GET', '/health/live', { headers: { origin } });
      return [answer.headers, headers].map((each) => each['access-control-allow-origin']);
    };
    for (const origin of ['https://pr-7.preview.example.org', 'capacitor://localhost'])
      expect(await allowed(origin)).toEqual([origin, origin]);
    for (const origin of ['https://a.b.preview.example.org', 'https://preview.example.org'])
      expect(await allowed(origin)).toEqual([undefined, undefined]);
    await open.close();
  });

  test('are not allowed when no origin is configured', async () => {
    const closed = await httpStage();
    const { headers } = await closed.ask('GET', '/health/live', { headers: { origin: APP } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    await closed.close();
  });
});
