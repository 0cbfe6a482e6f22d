import { hash } from '@node-rs/argon2';
import { RateLimited } from '../../src/protocol/rate-limits.ts';
import { AuthenticationFailed } from '../../src/auth/session.ts';
import { type AuthStage, ada, authStage } from '../support/stages/auth-stage.ts';

let stage: AuthStage;
beforeEach(async () => {
  stage = await authStage();
  await stage.registration.register(ada);
});
afterEach(() => stage.close());

const home = '192.0.2.1';
const elsewhere = '192.0.2.66';
const attempt = (password: string, address: string, email: string = ada.email) =>
  stage.logIn({ email, password, address }).then(
    () => 'let in',
    (error: Error) => (error instanceof AuthenticationFailed ? error.code : error.name),
  );

/** `ä` as one code point, and as two. */
const [composed, decomposed] = ['lange Wörter für Ada', 'lange Wo\u0308rter fu\u0308r Ada'];

describe('A password with composable letters', () => {
  const keep = async (typed: string) => {
    const older = await hash(typed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    await stage.credentials.renewPasswordHash((await stage.credentials.ofEmail(ada.email))!, older);
  };

  test.each([
    ['set composed', composed],
    ['set decomposed', decomposed],
  ])('is accepted in either form when it was %s', async (_how, password) => {
    await stage.registration.register({ ...ada, email: 'bob@example.org', displayName: 'Bob', password });
    expect(await attempt(composed, home, 'bob@example.org')).toBe('let in');
    expect(await attempt(decomposed, home, 'bob@example.org')).toBe('let in');
  });

  test('is accepted in its original form when hashed before normalization, and afterwards in either form', async () => {
    await keep(decomposed);
    expect(await attempt(composed, home)).toBe('BAD_CREDENTIALS');
    expect(await attempt(decomposed, home)).toBe('let in');
    expect(await attempt(composed, home)).toBe('let in');
  });
});

describe('Logging in', () => {
  test('succeeds with the right password', async () => {
    expect(await stage.logIn({ ...ada, address: home })).toMatchObject({
      email: ada.email,
      role: 'applicant',
    });
  });

  test('answers the same for an unknown user and a wrong password, at the same cost', async () => {
    const samples: Record<string, number[]> = { [ada.email]: [], 'nobody@example.org': [] };
    for (let round = 0; round < 9; round += 1)
      for (const [email, work] of Object.entries(samples)) {
        const before = process.cpuUsage();
        expect(await attempt('wrong password', home, email)).toBe('BAD_CREDENTIALS');
        const { user, system } = process.cpuUsage(before);
        work.push(user + system);
      }
    const [known, unknown] = Object.values(samples).map((work) => work.toSorted((a, b) => a - b)[4]!);
    // CPU time, independent of other load. Without the dummy hash, an unknown user would cost a twentieth.
    expect(known! / unknown!).toBeGreaterThan(0.5);
    expect(known! / unknown!).toBeLessThan(2);
  });

  test('is refused for a minute after ten failures, without locking the victim out elsewhere', async () => {
    for (let guess = 0; guess < 10; guess += 1)
      expect(await attempt(`guess ${guess}`, elsewhere)).toBe('BAD_CREDENTIALS');
    expect(await attempt('guess 10', elsewhere)).toBe('RateLimited');
    expect(await attempt(ada.password, elsewhere)).toBe('RateLimited');
    expect(await attempt(ada.password, home)).toBe('let in');
    expect(await attempt('a guess', elsewhere, 'bob@example.org')).toBe('BAD_CREDENTIALS');
  });

  test('reports when to try again', async () => {
    const limits = stage.rateLimits;
    for (let guess = 0; guess < 10; guess += 1) await attempt('a guess', home);
    const error = await limits.check('failed-logins', `${ada.email} ${home}`).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RateLimited);
    const { resetMs, remaining } = (error as RateLimited).quota;
    expect(remaining).toBe(0);
    expect(resetMs).toBeGreaterThan(50_000);
    expect(resetMs).toBeLessThanOrEqual(60_000);
  });

  test('counts failures only', async () => {
    for (let round = 0; round < 12; round += 1) expect(await attempt(ada.password, home)).toBe('let in');
  });

  test('refuses concurrent guesses after the tenth, even the right one', async () => {
    const guesses = [...Array.from({ length: 39 }, (_, guess) => `guess ${guess}`), ada.password];
    const outcomes = await Promise.all(guesses.map((guess) => attempt(guess, elsewhere)));
    expect(outcomes.filter((outcome) => outcome === 'BAD_CREDENTIALS')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'RateLimited')).toHaveLength(30);
  });

  test('renews a hash of another cost', async () => {
    const older = await hash(ada.password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await stage.credentials.renewPasswordHash((await stage.credentials.ofEmail(ada.email))!, older);
    expect(await attempt(ada.password, home)).toBe('let in');
    const { passwordHash } = (await stage.credentials.ofEmail(ada.email))!;
    expect(passwordHash).toMatch(/m=19456,t=2,p=1/);
    expect(await attempt(ada.password, home)).toBe('let in');
  });
});
