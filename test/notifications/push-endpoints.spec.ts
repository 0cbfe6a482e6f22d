import { isPublicAddress, pushEndpoint } from '../../src/notifications/deliver/push-endpoints.ts';

describe('a public address', () => {
  test.each([
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '192.0.1.0',
    '223.255.255.255',
    '2a00:1450:4001:829::200a',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '64:ff9b::8.8.8.8',
    '64:ff9b::808:808',
  ])('includes %s', (ip) => expect(isPublicAddress(ip)).toBe(true));

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:127.0.0.1',
    '::FFFF:7f00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b::192.168.0.1',
    '64:ff9b:1::8.8.8.8',
    '2002:7f00:1::',
    '2002:c0a8:101::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    'fc00::1',
    'fd12:3456:789a::1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1111%eth0',
    'fec0::1',
    'ff02::1',
    '5f00::1',
    '',
    'localhost',
    '127.1',
    '0177.0.0.1',
    '2130706433',
    '8.8.8.8 ',
  ])('excludes %s', (ip) => expect(isPublicAddress(ip)).toBe(false));
});

describe('an endpoint of a push service', () => {
  const endpoint = (url: string, ...privateHosts: string[]) => pushEndpoint(url, privateHosts)?.href;

  test.each([
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://updates.push.services.mozilla.com/wpush/v2/gAAA',
    'https://web.push.apple.com/QGk',
    'https://push.example.org:8443/x?y=z',
    'https://localhost.example.org/x',
    'https://8.8.8.8/x',
  ])('is accepted: %s', (url) => expect(endpoint(url)).toBe(url));

  test.each([
    ['another protocol', 'http://fcm.googleapis.com/x'],
    ['another protocol', 'file:///etc/passwd'],
    ['no URL', 'fcm.googleapis.com/x'],
    ['credentials', 'https://user@fcm.googleapis.com/x'],
    ['credentials', 'https://:secret@fcm.googleapis.com/x'],
    ['more than 2,048 characters', `https://fcm.googleapis.com/${'x'.repeat(2_022)}`],
    ['more than 2,048 characters once spelt out', `https://fcm.googleapis.com/${'ä'.repeat(500)}`],
    ['this host', 'https://localhost/x'],
    ['this host', 'https://LOCALHOST.:8443/x'],
    ['this host', 'https://push.localhost/x'],
    ['this host', 'https://127.0.0.1/x'],
    ['this host, octal', 'https://0177.0.0.1/x'],
    ['this host, decimal', 'https://2130706433/x'],
    ['this host, hexadecimal', 'https://0x7f.1/x'],
    ['this host, in full-width digits', 'https://１２７.0.0.1/x'],
    ['this host, with a dot at its end', 'https://127.0.0.1./x'],
    ['this host', 'https://0/x'],
    ['this host', 'https://[::1]/x'],
    ['this host, mapped', 'https://[::ffff:127.0.0.1]/x'],
    ['this host by NAT64', 'https://[64:ff9b::7f00:1]/x'],
    ['a private network', 'https://10.1.2.3/x'],
    ["a cloud's metadata", 'https://169.254.169.254/latest/meta-data'],
    ["a cloud's metadata", 'https://metadata.google.internal/x'],
    ['a neighbour', 'https://printer.local/x'],
    ['a neighbour', 'https://router.home.arpa/x'],
    ['a neighbour', 'https://intranet/x'],
  ])('is refused for %s: %s', (_why, url) => expect(endpoint(url)).toBeUndefined());

  test('has a maximum length', () => {
    const longest = `https://fcm.googleapis.com/${'x'.repeat(2_021)}`;
    expect(longest).toHaveLength(2_048);
    expect(endpoint(longest)).toBe(longest);
  });

  test('may be private if the operator allows its exact name', () => {
    expect(endpoint('https://127.0.0.1:8443/x', '127.0.0.1')).toBe('https://127.0.0.1:8443/x');
    expect(endpoint('https://[::1]/x', '::1')).toBe('https://[::1]/x');
    expect(endpoint('https://[::1]/x', '[::1]')).toBe('https://[::1]/x');
    expect(endpoint('https://Push.Internal/x', 'push.internal')).toBe('https://push.internal/x');
    expect(endpoint('https://other.internal/x', 'push.internal')).toBeUndefined();
    expect(endpoint('http://127.0.0.1/x', '127.0.0.1')).toBeUndefined();
    expect(endpoint('https://user@127.0.0.1/x', '127.0.0.1')).toBeUndefined();
  });
});
