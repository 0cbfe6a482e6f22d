import { countedAddress } from '../../src/auth/client-address.ts';

describe('the address that rate limits count by', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    // Forms that some proxies write.
    ['192.0.2.7:40001', '192.0.2.7'],
    ['[2001:db8:1:2::9]:40001', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['::ffff:192.0.2.7%eth0', '192.0.2.7'],
    ['[fe80::1%eth0]:443', 'fe80::/64'],
    ['[::ffff:192.0.2.7]:40001', '192.0.2.7'],
    ['192.0.2.7:', 'unknown'],
    ['010.0.0.1', 'unknown'],
    ['167772161', 'unknown'],
    ['256.0.0.1', 'unknown'],
    ['2001:db8::1::2', 'unknown'],
    ['', 'unknown'],
    ['unknown', 'unknown'],
    ['x'.repeat(1_000), 'unknown'],
  ])('of %s is %s', (ip, counted) => {
    expect(countedAddress(ip)).toBe(counted);
  });
});
