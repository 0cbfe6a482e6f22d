import fc from 'fast-check';
import { isOriginPattern, originMatcher } from '../../src/kit/origins.ts';

describe('A pattern of origins', () => {
  test.each([
    'https://app.example.org',
    'https://app.example.org:8443',
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop',
    'https://*.example.org',
    'https://*.preview.example.org:8443',
    'http://*.localhost:3000',
    'http://*.localhost',
  ])('is %s', (text) => {
    expect(isOriginPattern(text)).toBe(true);
  });

  test.each([
    ...['', '*', 'null', 'app.example.org', '//app.example.org', 'https://', 'file://', 'file://host'],
    ...['https://app.example.org/', 'https://app.example.org/x', 'https://a.org?x', 'https://a.org#x'],
    ...[
      'https://user@a.org',
      'https://a.org:443',
      'http://a.org:80',
      'https://a.org:70000',
      'https://a b.org',
    ],
    ...['https://App.example.org', 'HTTPS://app.example.org', 'https://bücher.example', 'https://a.org\n'],
    ...[
      'https://*',
      'https://*.',
      'https://*.com',
      'https://*.com:8443',
      'https://*.com.',
      'https://*.[::1]',
    ],
    ...['https://a.*.org', 'https://*a.example.org', 'https://a*.example.org', 'https://*.*.example.org'],
    ...['https://*..example.org', 'https://*.Example.org', 'https://*.example.org:443', '*://a.example.org'],
  ])('is not %j', (text) => {
    expect(isOriginPattern(text)).toBe(false);
  });
});

describe('The matcher of origins', () => {
  const patterns = [
    'https://app.example.org',
    'https://*.example.org',
    'http://*.localhost:3000',
    'capacitor://localhost',
  ];
  const isListed = originMatcher(patterns);

  test.each([
    'https://app.example.org',
    'https://pr-7.example.org',
    'https://pr_7.example.org',
    'https://7.example.org',
    'https://xn--bcher-kva.example.org',
    'http://app.localhost:3000',
    'capacitor://localhost',
  ])('accepts %s', (origin) => {
    expect(isListed(origin)).toBe(true);
  });

  test.each([
    ['no label', 'https://example.org'],
    ['an empty label', 'https://.example.org'],
    ['two labels', 'https://a.b.example.org'],
    ['two labels, one of them empty', 'https://a..example.org'],
    ['a label and a leading dot', 'https://.a.example.org'],
    ['the domain within another', 'https://evil.example.org.attacker.net'],
    ['the domain as the end of another', 'https://evilexample.org'],
    ['the domain behind a path', 'https://attacker.net/.example.org'],
    ['the domain behind a query', 'https://attacker.net?.example.org'],
    ['the domain behind a fragment', 'https://attacker.net#.example.org'],
    ['the domain behind a user', 'https://attacker.net@.example.org'],
    ['a user', 'https://a@b.example.org'],
    ['the domain behind a port', 'https://attacker.net:1.example.org'],
    ['a backslash', 'https://attacker.net\\.example.org'],
    ['an encoded dot', 'https://a%2eb.example.org'],
    ['the pattern itself', 'https://*.example.org'],
    ['another scheme', 'http://a.example.org'],
    ['another scheme that ends alike', 'xhttps://a.example.org'],
    ['a port', 'https://a.example.org:8443'],
    ['no port', 'http://a.localhost'],
    ['another port', 'http://a.localhost:3001'],
    ['a longer port', 'http://a.localhost:30000'],
    ['a label in upper case', 'https://A.example.org'],
    ['a domain in upper case', 'https://a.EXAMPLE.org'],
    ['a scheme in upper case', 'HTTPS://a.example.org'],
    ['a letter outside ASCII', 'https://ü.example.org'],
    ['a slash at the end', 'https://a.example.org/'],
    ['a dot at the end', 'https://a.example.org.'],
    ['a line end', 'https://a.example.org\n'],
    ['a line end within', 'https://a\n.example.org'],
    ['a space', 'https:// .example.org'],
    ['a longer host of an app', 'capacitor://localhost.attacker.net'],
    ['a host of an app with a port', 'capacitor://localhost:1'],
    ['an opaque origin', 'null'],
    ['nothing', ''],
  ])('refuses %s: %j', (_, origin) => {
    expect(isListed(origin)).toBe(false);
  });

  test('accepts nothing without patterns', () => {
    expect(['https://app.example.org', 'null', ''].filter(originMatcher([]))).toEqual([]);
  });

  test('accepts of all texts only those with one label in place of the star', () => {
    const matches = originMatcher(['https://*.example.org']);
    const piece = fc.oneof(
      fc.constantFrom(
        'https://',
        'http://',
        '.example.org',
        '.',
        'a',
        'pr-7',
        'A',
        ':8443',
        '/',
        '@',
        '\\',
        '\n',
        '*',
      ),
      fc.string({ maxLength: 3, unit: 'binary' }),
    );
    const nearby = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const framed = nearby.map((text) => `https://${text}.example.org`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearby, framed), (text) => {
        const [label, ...parents] = text.replace(/^https:\/\//, '').split('.');
        const isOneLabel =
          label !== undefined &&
          label !== '' &&
          [...label].every((char) => 'abcdefghijklmnopqrstuvwxyz0123456789_-'.includes(char));
        const isFramed = text.startsWith('https://') && parents.join('.') === 'example.org';
        expect(matches(text)).toBe(isFramed && isOneLabel);
      }),
      { numRuns: 5_000 },
    );
  });
});
