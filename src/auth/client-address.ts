import { SocketAddress, isIPv4, isIPv6 } from 'node:net';

/** An IPv6 customer owns a /64 and could come from a new address each time. */
const GROUPS_OF_A_NETWORK = 4;
const GROUPS = 8;

/**
 * What limits by address count by: the IPv4 address, or the network of the IPv6 one. A proxy may have written it with
 * a port or in brackets; what is no address counts as `unknown`, however it differs.
 */
export function countedAddress(written: string): string {
  const ip = withoutPort(written);
  if (isIPv4(ip)) return ip;
  if (!isIPv6(ip)) return 'unknown';
  const [head = '', tail] = shortest(ip).split('::');
  const mapped = /^ffff:(.+)$/.exec(tail ?? '')?.[1];
  if (head === '' && mapped !== undefined && isIPv4(mapped)) return mapped;
  const first = head ? head.split(':') : [];
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length;
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups.slice(0, GROUPS_OF_A_NETWORK).join(':')}::/64`;
}

const withoutPort = (written: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;

/** In lower case, without a zone, with a mapped IPv4 address in its own notation. */
const shortest = (ip: string): string =>
  new SocketAddress({ address: ip.replace(/%.*$/, ''), family: 'ipv6' }).address;
