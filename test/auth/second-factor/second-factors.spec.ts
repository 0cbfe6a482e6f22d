import { Secret, TOTP } from 'otpauth';
import { SecondFactorRefused, setUpSecondFactor } from '../../../src/auth/second-factor/second-factors.ts';
import { createSealedSecrets } from '../../../src/auth/second-factor/sealed-secrets.ts';
import { createRequireSecondFactor } from '../../../src/auth/second-factor/require-second-factor.ts';
import { AuthenticationFailed } from '../../../src/auth/session.ts';
import type { Role } from '../../../src/events/account.ts';
import type { UserId } from '../../../src/events/ids.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { type AuthStage, ada, authStage, eventually } from '../../support/stages/auth-stage.ts';

const home = '192.0.2.1';
const elsewhere = '192.0.2.66';
const STEP_MS = 30_000;

let stage: AuthStage;
let userId: UserId;
beforeEach(async () => {
  stage = await authStage();
  ({ userId } = await stage.registration.register(ada));
});
afterEach(() => stage.close());

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: Error) =>
      error instanceof AuthenticationFailed || error instanceof SecondFactorRefused ? error.code : error.name,
  );
const logIn = (code?: string, { password = ada.password as string, address = home } = {}) =>
  outcome(stage.logIn({ email: ada.email, password, address, code }));
const begin = () => stage.secondFactors.begin(userId, { password: ada.password, address: home });
const codeAt = (secret: string, steps = 0) =>
  TOTP.generate({
    secret: Secret.fromBase32(secret),
    timestamp: stage.clock.now + steps * STEP_MS,
  });
const wrongCode = (secret: string) =>
  ['000000', '111111', '222222', '333333'].find(
    (code) => ![-1, 0, 1].some((steps) => codeAt(secret, steps) === code),
  )!;
const passes = (steps: number) => void (stage.clock.now += steps * STEP_MS);
const confirm = (code: string, kept: string = newId()) =>
  stage.secondFactors.confirm(userId, { code, address: home, kept });

/** Activates a second factor and moves on to the next step, because the first code is used. */
async function activate() {
  const { secret } = await begin();
  const recoveryCodes = await confirm(codeAt(secret));
  passes(1);
  return { secret, recoveryCodes };
}

describe('Setting up a second factor', () => {
  test('begins with the password and changes no login before it is confirmed', async () => {
    const asked = { password: 'a guess', address: home };
    expect(await outcome(stage.secondFactors.begin(userId, asked))).toBe('WrongPassword');
    await begin();
    expect(await logIn()).toBe('done');
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ hasSecondFactor: false });
  });

  test('is completed by a code of the newest secret only', async () => {
    const [first, second] = [await begin(), await begin()];
    expect(first.secret).not.toBe(second.secret);
    expect(await outcome(confirm(codeAt(first.secret)))).toBe('WrongCode');
    expect(await confirm(codeAt(second.secret))).toHaveLength(10);
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ hasSecondFactor: true });
  });

  test('is refused before it has begun, and once it is completed', async () => {
    expect(await outcome(confirm('123456'))).toBe('TOTP_NOT_SET_UP');
    const { secret } = await activate();
    expect(await outcome(begin())).toBe('TOTP_ENABLED');
    expect(await outcome(confirm(codeAt(secret)))).toBe('TOTP_ENABLED');
  });

  test('ends every other session', async () => {
    const credential = (await stage.credentials.ofUser(userId))!;
    const [kept, other] = [await stage.sessions.open(credential), await stage.sessions.open(credential)];
    const { sessionId } = await stage.authenticate(kept.accessToken);
    const { secret } = await begin();
    await confirm(codeAt(secret), sessionId);
    expect(await outcome(stage.authenticate(kept.accessToken))).toBe('done');
    expect(await outcome(stage.authenticate(other.accessToken))).toBe('TOKEN_REVOKED');
    expect(await outcome(stage.sessions.refresh(other.refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    expect(await outcome(stage.sessions.refresh(kept.refreshToken))).toBe('done');
  });

  test('opens no session for a login that began without it', async () => {
    const before = await stage.logIn({ ...ada, address: home });
    await activate();
    expect(await outcome(stage.sessions.open(before))).toBe('BAD_CREDENTIALS');
  });

  test('happens once when it is confirmed twice at a time', async () => {
    await begin();
    const { sealed } = (await stage.secondFactorStore.find(userId))!;
    const confirmed = await Promise.all(
      [1, 2, 3].map((n) => {
        const recoveryCodes = [Buffer.from(`a ${n}`), Buffer.from(`b ${n}`)];
        return stage.secondFactorStore.activate(userId, { sealed, step: n, recoveryCodes, kept: null });
      }),
    );
    expect(confirmed.filter((ended) => ended !== undefined)).toEqual([[]]);
    const { rows } = await stage.pool.query('select count(*)::int as codes from recovery_codes');
    expect(rows).toEqual([{ codes: 2 }]);
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ passwordVersion: 1 });
  });

  test('counts wrong codes as failed logins', async () => {
    const { secret } = await begin();
    for (let guess = 0; guess < 10; guess += 1)
      expect(await outcome(confirm(wrongCode(secret)))).toBe('WrongCode');
    expect(await outcome(confirm(codeAt(secret)))).toBe('RateLimited');
    expect(await logIn()).toBe('RateLimited');
  });
});

describe('Logging in with a second factor', () => {
  test('asks for a code after the right password only', async () => {
    const { secret } = await activate();
    expect(await logIn(undefined, { password: 'a guess' })).toBe('BAD_CREDENTIALS');
    expect(await logIn(codeAt(secret), { password: 'a guess' })).toBe('BAD_CREDENTIALS');
    expect(await logIn()).toBe('TOTP_REQUIRED');
    expect(await logIn(wrongCode(secret))).toBe('TOTP_INVALID');
    expect(await logIn(codeAt(secret))).toBe('done');
  });

  test('takes as much work for a wrong password as without one', async () => {
    await stage.registration.register({ ...ada, email: 'bob@example.org' });
    await activate();
    const samples: Record<string, number[]> = { [ada.email]: [], 'bob@example.org': [] };
    for (let round = 0; round < 9; round += 1)
      for (const [email, work] of Object.entries(samples)) {
        const before = process.cpuUsage();
        expect(
          await outcome(stage.logIn({ email, password: 'a guess', address: home, code: '123456' })),
        ).toBe('BAD_CREDENTIALS');
        const { user, system } = process.cpuUsage(before);
        work.push(user + system);
      }
    const [withFactor, without] = Object.values(samples).map((work) => work.toSorted((a, b) => a - b)[4]!);
    expect(withFactor! / without!).toBeGreaterThan(0.5);
    expect(withFactor! / without!).toBeLessThan(2);
  });

  test.each([-1, 0, 1])('accepts the code of a clock that is %i steps ahead, once', async (steps) => {
    const { secret } = await activate();
    passes(1);
    expect(await logIn(codeAt(secret, steps))).toBe('done');
    expect(await logIn(codeAt(secret, steps))).toBe('TOTP_INVALID');
  });

  test('refuses the codes of older clocks and the code that confirmed it', async () => {
    const { secret } = await begin();
    await confirm(codeAt(secret));
    expect(await logIn(codeAt(secret))).toBe('TOTP_INVALID');
    passes(3);
    expect(await logIn(codeAt(secret, -2))).toBe('TOTP_INVALID');
    expect(await logIn(codeAt(secret, 2))).toBe('TOTP_INVALID');
  });

  test('refuses an earlier code once a later one is used', async () => {
    const { secret } = await activate();
    passes(1);
    expect(await logIn(codeAt(secret, 1))).toBe('done');
    expect(await logIn(codeAt(secret))).toBe('TOTP_INVALID');
  });

  test('lets one of many concurrent logins use a code', async () => {
    const { secret } = await activate();
    const code = codeAt(secret);
    const addresses = Array.from({ length: 8 }, (_, n) => `192.0.2.${n + 1}`);
    const outcomes = await Promise.all(addresses.map((address) => logIn(code, { address })));
    expect(outcomes.toSorted()).toEqual([...Array<string>(7).fill('TOTP_INVALID'), 'done']);
  });

  test('accepts a code and a recovery code however they are spaced', async () => {
    const { secret, recoveryCodes } = await activate();
    const code = codeAt(secret);
    expect(await logIn(` ${code.slice(0, 3)} ${code.slice(3)}`)).toBe('done');
    expect(await logIn(recoveryCodes[0]!.replaceAll('-', ' ').toLowerCase())).toBe('done');
  });

  test('accepts each recovery code once', async () => {
    const { recoveryCodes } = await activate();
    for (const code of recoveryCodes) expect(await logIn(code)).toBe('done');
    for (const code of recoveryCodes.slice(0, 2)) expect(await logIn(code)).toBe('TOTP_INVALID');
  });

  test('lets one of many concurrent logins use a recovery code', async () => {
    const { recoveryCodes } = await activate();
    const addresses = Array.from({ length: 8 }, (_, n) => `192.0.2.${n + 1}`);
    const outcomes = await Promise.all(addresses.map((address) => logIn(recoveryCodes[0], { address })));
    expect(outcomes.filter((each) => each === 'done')).toHaveLength(1);
  });

  test.each([
    '',
    '12345',
    '1234567',
    '１２３４５６',
    '٠٠٠٠٠٠',
    '+12345',
    '1e5555',
    'null',
    "' or 1=1 --",
    'ẞ'.repeat(16),
  ])('refuses "%s"', async (code) => {
    await activate();
    expect(await logIn(code)).toBe('TOTP_INVALID');
  });

  test("refuses another account's recovery code", async () => {
    const { recoveryCodes } = await activate();
    const bob = { ...ada, email: 'bob@example.org' };
    const { userId: bobId } = await stage.registration.register(bob);
    const asked = { password: bob.password, address: home };
    const { secret } = await stage.secondFactors.begin(bobId, asked);
    await stage.secondFactors.confirm(bobId, { code: codeAt(secret), address: home, kept: newId() });
    const stolen = stage.logIn({ ...bob, address: home, code: recoveryCodes[0] });
    expect(await outcome(stolen)).toBe('TOTP_INVALID');
  });

  test('counts wrong codes along with wrong passwords, by account and address', async () => {
    const { secret } = await activate();
    for (let guess = 0; guess < 5; guess += 1) {
      expect(await logIn(wrongCode(secret), { address: elsewhere })).toBe('TOTP_INVALID');
      expect(await logIn(undefined, { address: elsewhere, password: 'a guess' })).toBe('BAD_CREDENTIALS');
    }
    expect(await logIn(codeAt(secret), { address: elsewhere })).toBe('RateLimited');
    expect(await logIn(codeAt(secret))).toBe('done');
  });

  test('gives a burst of guesses no more tries than the limit', async () => {
    const { secret } = await activate();
    const guesses = Array.from({ length: 40 }, () => logIn(wrongCode(secret), { address: elsewhere }));
    const outcomes = await Promise.all(guesses);
    expect(outcomes.filter((each) => each === 'TOTP_INVALID')).toHaveLength(10);
    expect(outcomes.filter((each) => each === 'RateLimited')).toHaveLength(30);
  });

  test('does not count a missing code', async () => {
    const { secret } = await activate();
    for (let round = 0; round < 12; round += 1) expect(await logIn()).toBe('TOTP_REQUIRED');
    expect(await logIn(codeAt(secret))).toBe('done');
  });

  test('ignores a code where there is no second factor', async () => {
    expect(await logIn('123456')).toBe('done');
  });

  test('is not asked for by a refresh, and stays after a new password', async () => {
    const { secret } = await activate();
    const session = await stage.sessions.open(
      await stage.logIn({ ...ada, address: home, code: codeAt(secret) }),
    );
    expect(await outcome(stage.sessions.refresh(session.refreshToken))).toBe('done');
    await stage.credentials.replacePassword(userId, await stage.hashes.hash('another long secret'));
    expect(await logIn(undefined, { password: 'another long secret' })).toBe('TOTP_REQUIRED');
  });
});

describe('Removing a second factor', () => {
  const remove = (code: string, password: string = ada.password) =>
    outcome(stage.secondFactors.remove(userId, { password, code, address: home }));

  test('takes the password and an unused code', async () => {
    const { secret } = await activate();
    expect(await remove(codeAt(secret), 'a guess')).toBe('WrongPassword');
    expect(await remove(wrongCode(secret))).toBe('WrongCode');
    expect(await logIn(codeAt(secret))).toBe('done');
    expect(await remove(codeAt(secret))).toBe('WrongCode');
    expect(await remove(codeAt(secret, 1))).toBe('done');
    expect(await logIn()).toBe('done');
    const { rows } = await stage.pool.query(
      'select from second_factors union all select from recovery_codes',
    );
    expect(rows).toEqual([]);
  });

  test('takes a recovery code as well, and allows another set-up', async () => {
    const { recoveryCodes } = await activate();
    expect(await remove(recoveryCodes[3]!)).toBe('done');
    const { secret } = await activate();
    expect(await logIn(codeAt(secret))).toBe('done');
    expect(await logIn(recoveryCodes[4])).toBe('TOTP_INVALID');
  });

  test('is refused where there is none, and while one waits to be confirmed', async () => {
    expect(await remove('123456')).toBe('TOTP_NOT_SET_UP');
    await begin();
    expect(await remove('123456')).toBe('TOTP_NOT_SET_UP');
  });

  test('happens with the account', async () => {
    await activate();
    await stage.pool.query('delete from credentials where user_id = $1', [userId]);
    const { rows } = await stage.pool.query(
      'select from second_factors union all select from recovery_codes',
    );
    expect(rows).toEqual([]);
  });
});

test('The database holds neither the secret nor a recovery code', async () => {
  const { secret, recoveryCodes } = await activate();
  const { rows } = await stage.pool.query(
    `select encode(secret, 'escape') as text from second_factors
     union all select encode(code_hash, 'escape') from recovery_codes`,
  );
  const stored = JSON.stringify(rows);
  expect(rows).toHaveLength(11);
  for (const word of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
    expect(stored).not.toContain(word);
});

describe('A second factor that an operator sets up', () => {
  test('is in use at once, and replaces none', async () => {
    const parts = {
      store: stage.secondFactorStore,
      secrets: createSealedSecrets(stage.secondFactorSecret),
      issuer: 'Test',
    };
    const { secret } = await setUpSecondFactor({ userId, email: ada.email }, parts);
    expect(await logIn()).toBe('TOTP_REQUIRED');
    expect(await logIn(codeAt(secret))).toBe('done');
    expect(await outcome(setUpSecondFactor({ userId, email: ada.email }, parts))).toBe('TOTP_ENABLED');
  });
});

describe('A required second factor', () => {
  const requirement = (...roles: Role[]) =>
    createRequireSecondFactor({ credentials: stage.credentials, roles });

  test('keeps out people of its roles without one, and nobody else', async () => {
    const check = requirement('auditor');
    expect(await outcome(check({ userId, role: 'applicant' }))).toBe('done');
    expect(await outcome(check({ userId, role: 'admin' }))).toBe('done');
    expect(await outcome(requirement('auditor', 'admin')({ userId, role: 'admin' }))).toBe(
      'SECOND_FACTOR_REQUIRED',
    );
    expect(await outcome(check({ userId, role: 'auditor' }))).toBe('SECOND_FACTOR_REQUIRED');
    await begin();
    expect(await outcome(check({ userId, role: 'auditor' }))).toBe('SECOND_FACTOR_REQUIRED');
    expect(await outcome(requirement()({ userId, role: 'auditor' }))).toBe('done');
    await activate();
    expect(await outcome(check({ userId, role: 'auditor' }))).toBe('done');
  });

  test('is lacking for auditors without an active one', async () => {
    const lacking = () => stage.secondFactorStore.countLacking('auditor');
    expect(await lacking()).toBe(0);
    const { userId: auditor } = await stage.registration.register({
      ...ada,
      ...{ email: 'eve@example.org', role: 'auditor' },
    });
    expect(await lacking()).toBe(1);
    const asked = { password: ada.password, address: home };
    const { secret } = await stage.secondFactors.begin(auditor, asked);
    expect(await lacking()).toBe(1);
    await stage.secondFactors.confirm(auditor, { code: codeAt(secret), address: home, kept: newId() });
    expect(await lacking()).toBe(0);
  });
});

test('Ended sessions are announced to this node at once', async () => {
  const session = await stage.sessions.open((await stage.credentials.ofUser(userId))!);
  const { sessionId } = await stage.authenticate(session.accessToken);
  await activate();
  await eventually(() => stage.revocations.isRevoked(sessionId), 1_000);
});
