import { EmailAddress, NewPassword } from '../../src/auth/credentials.ts';

describe('An e-mail address', () => {
  test('is kept trimmed and in lower case', () => {
    expect(EmailAddress.parse('  Ada.Lovelace@Example.ORG ')).toBe('ada.lovelace@example.org');
  });

  test.each(['ada', 'ada@', '@example.org', 'a b@example.org', 'ada@example.org\u0000', 42, null, undefined])(
    'is refused as %j',
    (value) => {
      expect(EmailAddress.safeParse(value).success).toBe(false);
    },
  );

  test('has at most 254 characters', () => {
    const longest = `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example.org`;
    expect(longest).toHaveLength(255);
    expect(EmailAddress.safeParse(longest).success).toBe(false);
    expect(EmailAddress.safeParse(longest.slice(1)).success).toBe(true);
  });
});

describe('A new password', () => {
  test.each(['eight ch', 'x'.repeat(128), '🐎🐎🐎🐎🐎🐎🐎🐎', '🐎'.repeat(128), ' spaces are fine '])(
    'may be %j',
    (password) => {
      expect(NewPassword.safeParse(password).success).toBe(true);
    },
  );

  test.each([
    'seven c',
    '🐎🐎🐎🐎',
    'x'.repeat(129),
    '🐎'.repeat(129),
    'nul\u0000nul nul',
    'lone \ud800 one',
  ])('may not be %j', (password) => {
    expect(NewPassword.safeParse(password).success).toBe(false);
  });

  test.each(['password', 'PASSWORD', '12345678', 'Qwerty123'])('is refused as too common: %s', (password) => {
    expect(NewPassword.safeParse(password).error?.issues[0]?.message).toMatch('Too common');
  });
});
