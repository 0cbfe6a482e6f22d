import { randomUUID } from 'node:crypto';
import { createSession, givenTokens, memoryStorage } from '../../packages/chat-client/src/session.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';

describe('the session of a client', () => {
  let app: TestApp;
  const ada = { email: `${randomUUID()}@example.org`, password: randomUUID() };

  beforeAll(async () => {
    app = await startApp();
    const body = { role: 'applicant', displayName: 'Ada', ...ada };
    expect((await app.ask('POST', '/v1/auth/register', { body })).status).toBe(201);
  }, 60_000);
  afterAll(() => app?.stop());

  /** Opens a tab. `lost` answers do not arrive. */
  function tab(storage = memoryStorage(), { lost = 0 } = {}) {
    const calls: string[] = [];
    let left = lost;
    const request: typeof fetch = async (...asked) => {
      calls.push(new URL(asked[0] as string).pathname);
      const response = await fetch(...asked);
      if (left > 0) {
        left -= 1;
        throw new TypeError('fetch failed');
      }
      return response;
    };
    return { session: createSession(app.url, storage, request), storage, calls };
  }
  const isGood = async (token: string) =>
    (await app.ask('GET', '/v1/me', { headers: { authorization: `Bearer ${token}` } })).status === 200;

  test('is kept for the next page', async () => {
    const { session, storage } = tab();
    expect(await session.logIn(ada)).toMatchObject({ role: 'applicant', displayName: 'Ada' });
    const next = tab(storage).session;
    expect(next.user.getSnapshot()).toMatchObject({ displayName: 'Ada' });
    expect(await isGood(await next.get())).toBe(true);
  });

  test('is refreshed once by all tabs, however often each asks', async () => {
    const first = tab();
    await first.session.logIn(ada);
    const second = tab(first.storage);
    const spent = await first.session.get();
    const fresh = await Promise.all(
      [first, second, first, second, second].map(({ session }) => session.get(spent)),
    );
    expect(new Set(fresh).size).toBe(1);
    expect(fresh[0]).not.toBe(spent);
    const refreshes = [...first.calls, ...second.calls].filter((path) => path === '/v1/auth/refresh');
    expect(refreshes).toHaveLength(1);
    expect(await isGood(fresh[0]!)).toBe(true);
  });

  test('survives the loss of an answer to a refresh', async () => {
    const { storage, session } = tab();
    await session.logIn(ada);
    const spent = await session.get();
    const unlucky = tab(storage, { lost: 2 });
    const fresh = await unlucky.session.get(spent);
    expect(unlucky.calls).toHaveLength(3);
    expect(await isGood(fresh)).toBe(true);
    expect(await isGood(await unlucky.session.get(fresh))).toBe(true);
  });

  test('ends everywhere with a logout', async () => {
    const { session, storage } = tab();
    await session.logIn(ada);
    const token = await session.get();
    await session.logOut();
    expect(session.user.getSnapshot()).toBeUndefined();
    expect(await isGood(token)).toBe(false);
    await expect(tab(storage).session.get()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  test('is forgotten at once by a logout, whether or not the server can be reached', async () => {
    const storage = memoryStorage();
    await tab(storage).session.logIn(ada);
    const hangs = createSession(app.url, storage, () => new Promise(() => {}));
    void hangs.logOut();
    expect(hangs.user.getSnapshot()).toBeUndefined();
    await expect(tab(storage).session.get()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  test('ends on the server even if its token has ended before', async () => {
    const { session, storage } = tab();
    await session.logIn(ada);
    const key = `chat-session ${app.url}`;
    const saved = JSON.parse(storage.getItem(key)!) as { refreshToken: string };
    storage.setItem(key, JSON.stringify({ ...saved, accessToken: 'ended' }));
    await session.logOut();
    const { refreshToken } = saved;
    expect((await app.ask('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(401);
  });

  test('is not resumed by a tab that was refreshing it when another one logged out', async () => {
    const storage = memoryStorage();
    await tab(storage).session.logIn(ada);
    const answered = Promise.withResolvers<void>();
    const slow = createSession(app.url, storage, async (...asked) => {
      const response = await fetch(...asked);
      await answered.promise;
      return response;
    });
    const spent = (JSON.parse(storage.getItem(`chat-session ${app.url}`)!) as { accessToken: string })
      .accessToken;
    const renewed = slow.get(spent);
    storage.removeItem(`chat-session ${app.url}`);
    answered.resolve();
    await expect(renewed).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    expect(storage.getItem(`chat-session ${app.url}`)).toBeNull();
  });

  test('lasts for the page where the storage takes nothing', async () => {
    const full = () => {
      throw new DOMException('The quota has been exceeded', 'QuotaExceededError');
    };
    const { session } = tab({ ...memoryStorage(), setItem: full });
    await session.logIn(ada);
    const spent = await session.get();
    const fresh = await session.get(spent);
    expect(fresh).not.toBe(spent);
    expect(await isGood(fresh)).toBe(true);
    await session.logOut();
    await expect(session.get()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  test('learns of the user of another tab when it is used, if nothing else told', async () => {
    const { session, storage } = tab();
    await session.logIn(ada);
    const key = `chat-session ${app.url}`;
    const saved = JSON.parse(storage.getItem(key)!) as { user: object };
    storage.setItem(key, JSON.stringify({ ...saved, user: { ...saved.user, id: 'bob' } }));
    await session.get();
    expect(session.user.getSnapshot()).toMatchObject({ id: 'bob' });
  });

  test('does not wait for minutes to log in', async () => {
    let calls = 0;
    const body = { code: 'RATE_LIMITED', status: 429, retryable: true, retryAfterMs: 60_000 };
    const session = createSession(app.url, memoryStorage(), async () => {
      calls += 1;
      return Response.json(body, { status: 429 });
    });
    await expect(session.logIn(ada)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 60_000 });
    expect(calls).toBe(1);
  });

  test('is forgotten when the server has ended it', async () => {
    const { session } = tab();
    await session.logIn(ada);
    const token = await session.get();
    await app.ask('POST', '/v1/auth/logout', { headers: { authorization: `Bearer ${token}` } });
    await expect(session.get(token)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' });
    expect(session.user.getSnapshot()).toBeUndefined();
  });

  test('says what is wrong with a login, and keeps who is logged in', async () => {
    const { session } = tab();
    await session.logIn(ada);
    await expect(session.logIn({ ...ada, password: 'wrong' })).rejects.toMatchObject({
      code: 'BAD_CREDENTIALS',
    });
    expect(session.user.getSnapshot()).toMatchObject({ displayName: 'Ada' });
  });

  test('takes what another page has left in the storage for nothing, if it is not readable', async () => {
    const storage = memoryStorage();
    storage.setItem(`chat-session ${app.url}`, '{half');
    const { session } = tab(storage);
    await expect(session.get()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    await session.logIn(ada);
    expect(await isGood(await session.get())).toBe(true);
  });
});

describe('tokens that somebody else issues', () => {
  const tokenUntil = (exp: number, n: number) => `h.${btoa(JSON.stringify({ sub: 'ada', exp, n }))}.s`;

  test('are asked for once at a time, when there is none, and before they end', async () => {
    let count = 0;
    const inAnHour = Date.now() / 1_000 + 3_600;
    const { get } = givenTokens(async () =>
      tokenUntil((count += 1) === 1 ? Date.now() / 1_000 + 2 : inAnHour, count),
    );
    const [first] = await Promise.all([get(), get()]);
    expect(count).toBe(1);
    const second = await get();
    expect(second).not.toBe(first);
    expect(await get()).toBe(second);
    expect(await get(second)).not.toBe(second);
    expect(count).toBe(3);
  });

  test('are asked for again when they do not come', async () => {
    let count = 0;
    const { get } = givenTokens(() => {
      count += 1;
      return count === 1 ? new Promise(() => {}) : Promise.resolve('second');
    }, 10);
    await expect(get()).rejects.toMatchObject({ code: 'NO_ANSWER', retryable: true });
    expect(await get()).toBe('second');
  });

  test('cannot be renewed where there is only one', async () => {
    const { get } = givenTokens('one');
    expect(await get()).toBe('one');
    await expect(get('one')).rejects.toMatchObject({ code: 'TOKEN_EXPIRED', retryable: false });
  });
});
