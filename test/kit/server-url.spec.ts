import { encodeHosts, hostsOf, parseServerUrl, withHost, withoutSecrets } from '../../src/kit/server-url.ts';

describe('A server URL', () => {
  const parsed = (text: string) => {
    const url = parseServerUrl(text);
    return url && { ...url, query: Object.fromEntries(url.query) };
  };
  const nothing = { hosts: [], path: '', query: {} };
  const hosts = (...named: { host: string; port?: number }[]) => ({
    ...nothing,
    scheme: 'esdb',
    hosts: named,
  });
  const one = { ...nothing, hosts: [{ host: 'a' }] };

  test.each([
    ['redis://a', { ...one, scheme: 'redis' }],
    ['redis+sentinel://a', { ...one, scheme: 'redis+sentinel' }],
    ['X-1.y://a', { ...one, scheme: 'x-1.y' }],
    ['esdb://a:2113', hosts({ host: 'a', port: 2113 })],
    ['esdb://a:1,b,c:65535', hosts({ host: 'a', port: 1 }, { host: 'b' }, { host: 'c', port: 65_535 })],
    ['esdb://10.0.0.1,10.0.0.2:2113', hosts({ host: '10.0.0.1' }, { host: '10.0.0.2', port: 2113 })],
    ['esdb://[::1]', hosts({ host: '::1' })],
    [
      'esdb://[2001:db8::1]:2113,[::ffff:10.0.0.1]',
      hosts({ host: '2001:db8::1', port: 2113 }, { host: '::ffff:10.0.0.1' }),
    ],
    ['esdb://_srv.my_node-1.example.org', hosts({ host: '_srv.my_node-1.example.org' })],
    ['esdb://node.example.org.:2113', hosts({ host: 'node.example.org.', port: 2113 })],
    ['esdb://bücher.example', hosts({ host: 'bücher.example' })],
    ['esdb://%2Fvar%2Frun:5432', hosts({ host: '/var/run', port: 5432 })],
  ])('names its hosts: %s', (text, wanted) => {
    expect(parsed(text)).toEqual(wanted);
  });

  test.each([
    ['redis://user:secret@a', { username: 'user', password: 'secret' }],
    ['redis://user@a', { username: 'user' }],
    ['redis://:secret@a', { password: 'secret' }],
    ['redis://user:@a', { username: 'user' }],
    ['redis://:@a', {}],
    ['redis://@a', {}],
    ['redis://u%40x:p%3A%2F%3F%23%40%25@a', { username: 'u@x', password: 'p:/?#@%' }],
    ['redis://user:p@ss@a', { username: 'user', password: 'p@ss' }],
    ['redis://b%C3%BCcher:a+b@a', { username: 'bücher', password: 'a+b' }],
  ])('decodes user and password: %s', (text, credentials) => {
    expect(parsed(text)).toEqual({ ...one, scheme: 'redis', ...credentials });
  });

  test.each([
    ['x://a/', { ...one, path: '/' }],
    ['x://a/chat/2', { ...one, path: '/chat/2' }],
    ['x://a/my%20chat', { ...one, path: '/my chat' }],
    ['x://a?tls=true&b=%26', { ...one, query: { tls: 'true', b: '&' } }],
    ['x://a/?', { ...one, path: '/' }],
    ['x://a/p?at=b@c', { ...one, path: '/p', query: { at: 'b@c' } }],
    ['x:///run/a.sock', { ...nothing, path: '/run/a.sock' }],
    [
      'x://:secret@/run/a.sock?db=1',
      { ...nothing, password: 'secret', path: '/run/a.sock', query: { db: '1' } },
    ],
    ['x:///chat?host=/run', { ...nothing, path: '/chat', query: { host: '/run' } }],
    ['x://', nothing],
  ])('has a path and a query: %s', (text, wanted) => {
    expect(parsed(text)).toEqual({ scheme: 'x', ...wanted });
  });

  test.each([
    '',
    'redis',
    'redis:a',
    'redis:/a',
    '//a',
    '1x://a',
    ' redis://a',
    'redis://a b',
    'redis://a\n',
    'redis://a,,b',
    'redis://a,',
    'redis://:6379',
    'redis://a:',
    'redis://a:0',
    'redis://a:65536',
    'redis://a:b',
    'redis://a:1:2',
    'redis://-a',
    'redis://a-',
    'redis://.',
    'redis://a..',
    'redis://::1',
    'redis://[::1',
    'redis://[:::]',
    'redis://[10.0.0.1]',
    'redis://[a]',
    'redis://a%20b',
    'redis://%2F%zz',
    'redis://%41',
    'redis://u:p:q@a',
    'redis://u%zz@a',
    'redis://u:100%@a',
    'redis://a/%zz',
    'redis://a#b',
    'redis://a/?x#b',
    'redis://u:p/w@a',
  ])('is malformed: %j', (text) => {
    expect(parseServerUrl(text)).toBeUndefined();
  });
});

describe('A text without secrets', () => {
  test.each([
    ['redis://USER:SECRET@host/1', 'redis://***@host/1'],
    ['redis://:SECRET@host', 'redis://***@host'],
    ['redis://USER@host', 'redis://***@host'],
    ['postgres://USER:SE@CR@ET@a,b/chat', 'postgres://***@a,b/chat'],
    ['esdb://USER:SECRET@a,USER:SECRET@b', 'esdb://***@b'],
    ['redis://USER:SEC/RE?T#SECRET@host', 'redis://***@host'],
    ['redis://USER:SECRET%40host', 'redis://***@host'],
    ['USER:SECRET@host:25', '***@host:25'],
    ['://USER:SECRET@host', '***@host'],
    ['redis:USER:SECRET@host', '***@host'],
    [' redis://USER:SECRET@host', '***@host'],
    ['redis://USER:SEC\nRET\u0000\u202e@host', 'redis://***@host'],
    ['re\u0000dis://USER:SECRET@host', '***@host'],
    ['mailto:USER@example.org', '***@example.org'],
    ['mysql://db/chat?password=SECRET&x=1', 'mysql://db/chat?password=***&x=1'],
    ['mysql://db/chat?user=USER&PassWord=SECRET', 'mysql://db/chat?user=***&PassWord=***'],
    ['mysql://db?pass\u0000word=SECRET', 'mysql://db?pass?word=***'],
    ['mysql://db?pwd=SECRET&auth=SECRET', 'mysql://db?pwd=***&auth=***'],
    ['http://s3?secret_access_key=SECRET&api-token=SECRET', 'http://s3?secret_access_key=***&api-token=***'],
    ['host=db user=USER password=SECRET', 'host=db user=***'],
  ])('shows neither user nor password of %j', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(withoutSecrets(text)).not.toMatch(/USER|SEC|RET/);
  });

  test('is shown as it is where it holds none', () => {
    expect(withoutSecrets('esdb://a:2113,b/x?tls=true&y=1')).toBe('esdb://a:2113,b/x?tls=true&y=1');
  });

  test('is printable and has at most 200 characters', () => {
    expect(withoutSecrets('http://redis\u0000\u202eü')).toBe('http://redis?');
    expect(withoutSecrets(`http://${'a'.repeat(1_000)}`)).toBe(`http://${'a'.repeat(193)}`);
    expect(withoutSecrets(`redis://user:${'p'.repeat(1_000)}@host`)).toBe('redis://***@host');
  });
});

describe('The hosts of a URL', () => {
  test.each([
    ['x://a/p', [{ host: 'a' }]],
    ['x://u:p%2C@a:1/p', [{ host: 'a', port: 1 }]],
    ['x://[::1]:1/p', [{ host: '::1', port: 1 }]],
    ['x://%2Frun%2Fa:1/p', [{ host: '/run/a', port: 1 }]],
    ['x://bücher.example/p', [{ host: 'bücher.example' }]],
    ['x://u:p@a,b/p', [{ host: 'a' }, { host: 'b' }]],
    [
      'x://a:1,b:2/p?q=c,d',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    [
      'x://[::1]:1,%2Frun,bücher.example',
      [{ host: '::1', port: 1 }, { host: '/run' }, { host: 'bücher.example' }],
    ],
  ])('are read by URL along with the rest, one or several: %s', (text, hosts) => {
    const url = encodeHosts(text);
    expect(hostsOf(url)).toEqual(hosts);
    expect(hostsOf(new URL(url).href)).toEqual(hosts);
    expect(parseServerUrl(text)!.hosts).toEqual(hosts);
  });

  test.each([
    [{ host: 'c' }, 'x://u:p%40@c/p?q=1'],
    [{ host: 'c', port: 3 }, 'x://u:p%40@c:3/p?q=1'],
    [{ host: '::1', port: 3 }, 'x://u:p%40@%3A%3A1:3/p?q=1'],
    [{ host: '/run' }, 'x://u:p%40@%2Frun/p?q=1'],
  ])('are replaced by one: %j', (host, wanted) => {
    for (const url of ['x://u:p%40@a:1/p?q=1', 'x://u:p%40@a:1,b:2/p?q=1', 'x://u:p%40@[::1]:1/p?q=1'])
      expect(withHost(encodeHosts(url), host)).toBe(wanted);
  });
});
