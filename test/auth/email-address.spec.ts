import { EmailAddress } from '../../src/auth/email-address.ts';

describe('An e-mail address', () => {
  test.each([
    ['  Ada.Lovelace@Example.ORG ', 'ada.lovelace@example.org'],
    ['u@bücher.example', 'u@xn--bcher-kva.example'],
    ['u@BU\u0308CHER.example', 'u@xn--bcher-kva.example'],
    ['u@XN--bcher-kva.EXAMPLE', 'u@xn--bcher-kva.example'],
    ['u@xn--80akhbyknj4f.xn--p1ai', 'u@xn--80akhbyknj4f.xn--p1ai'],
    ['u@испытание.рф', 'u@xn--80akhbyknj4f.xn--p1ai'],
    ['u@例え。テスト', 'u@xn--r8jz45g.xn--zckzah'],
    ['r&d@example.test', 'r&d@example.test'],
    ["!#$%&'*+/=?^_`{|}~.-@example.test", "!#$%&'*+/=?^_`{|}~.-@example.test"],
    ['u@localhost', 'u@localhost'],
    ['u@1.2', 'u@1.2'],
  ])('%j is stored as %j', (written, kept) => {
    expect(EmailAddress.parse(written)).toBe(kept);
    expect(EmailAddress.parse(kept)).toBe(kept);
  });

  test.each([
    'ada',
    'ada@',
    '@example.org',
    'a b@example.org',
    'a@b@example.org',
    'ada@exa mple.org',
    'ada@-example.org',
    'ada@example..org',
    `ada@${'a'.repeat(64)}.org`,
    'ada@bücher.example/path',
    'ada@bü%63her.example',
    'ada@bücher.example:25',
    'äda@example.org',
    'Ada <ada@example.org>',
    'ada@example.org\u0000',
    'ada@example.org\r\nBcc: bob@example.org',
    42,
    null,
    undefined,
  ])('is refused as %j', (value) => {
    expect(EmailAddress.safeParse(value).success).toBe(false);
  });

  test('has at most 254 characters in its stored form', () => {
    const longest = `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example.org`;
    expect(longest).toHaveLength(255);
    expect(EmailAddress.safeParse(longest).success).toBe(false);
    expect(EmailAddress.safeParse(longest.slice(1)).success).toBe(true);
    expect(EmailAddress.safeParse(longest.slice(1).replace('example', 'exämple')).success).toBe(false);
  });
});
