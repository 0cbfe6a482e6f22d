import { z } from 'zod';
import { NewPassword, withUnrelatedPassword } from '../../src/auth/credentials.ts';

const varied = (length: number, from = 'abcdefgh') =>
  Array.from({ length }, (_, n) => [...from][n % [...from].length]).join('');

describe('A new password', () => {
  test.each([
    'eight ch',
    varied(128),
    '🐎🐄🐖🐑🐓🐇🐈🐕',
    varied(128, '🐎🐄🐖🐑'),
    ' spaces are fine ',
    'a long enough secret',
    'correct horse battery staple',
    '018f3c1e-9b7d-7c3a-8e21-5a1b2c3d4e5f',
  ])('may be %j', (password) => {
    expect(NewPassword.safeParse(password).success).toBe(true);
  });

  test.each([
    'seven c',
    '🐎🐄🐖🐑',
    varied(129),
    varied(129, '🐎🐄🐖🐑'),
    'nul\u0000nul nul',
    'lone \ud800 one',
  ])('may not be %j', (password) => {
    expect(NewPassword.safeParse(password).success).toBe(false);
  });

  test.each([
    'password',
    'PASSWORD',
    '12345678',
    'Qwerty123',
    'password123',
    'Password123',
    'P@ssw0rd',
    'p4$$w0rd',
    'P@ssw0rd123',
    'ｐａｓｓｗｏｒｄ',
    'letmein123',
    '1q2w3e4r5t',
    'sunsh1ne',
    'administrator',
    'aaaaaaaa',
    '🐎'.repeat(20),
    'abababababab',
    '        ',
    '\u00a0 \u2003 \u3000  \t',
    '      . ',
  ])('is refused as too common: %j', (password) => {
    expect(NewPassword.safeParse(password).error?.issues[0]?.message).toMatch('Too common');
  });
});

describe('The password of an account', () => {
  const Account = withUnrelatedPassword(
    z.object({ email: z.string(), displayName: z.string(), password: z.string() }),
  );
  const owner = { email: 'ada.lovelace@example.org', displayName: 'Countess Ada King' };
  const faults = (password: string) => Account.safeParse({ ...owner, password }).error?.issues;

  test.each([
    'ada.lovelace@example.org',
    'ADA.LOVELACE@EXAMPLE.ORG',
    'my ada.lovelace@example.org for ever',
    'Ada.Lovelace',
    'ada.lovelace1815',
    'lovelace',
    'lovelace1815',
    'L0vel@ce-1815',
    'Countess Ada King',
    'countess',
    'example.org',
  ])('may not contain its address or its name: %j', (password) => {
    expect(faults(password)).toMatchObject([
      { path: ['password'], message: expect.stringContaining('Too easy to guess') },
    ]);
  });

  test.each(['a long enough secret', 'Ada writes programs', 'the countess counts on engines'])(
    'may be %j',
    (password) => expect(faults(password)).toBeUndefined(),
  );

  test('may contain a name that is too short to identify', () => {
    const ann = { email: 'a@example.org', displayName: 'Ann', password: 'tyrannosaurus' };
    expect(Account.safeParse(ann).success).toBe(true);
  });
});
