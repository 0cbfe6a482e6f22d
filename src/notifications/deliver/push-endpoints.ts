import { BlockList, isIP } from 'node:net';

/** Browsers' endpoints are far shorter. */
const MAX_LENGTH = 2_048;

/** IANA's IPv4 Special-Purpose Address Registry (RFC 6890), and addresses that do not belong to a single host. */
const SPECIAL_IPV4: [net: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/**
 * The same for IPv6, within the global range. 2001::/23 contains Teredo and 2002::/16 is 6to4: both lead to
 * an IPv4 address of the sender's choice, and are no longer used for services (RFC 7526).
 */
const SPECIAL_IPV6: [net: string, bits: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];
/** Prefixes of 96 bits before an IPv4 address: mapped (RFC 4291 §2.5.5.2), and NAT64 (RFC 6052). */
const BEFORE_IPV4 = ['::ffff:', '64:ff9b::'];

const special = new BlockList();
const global = new BlockList();
for (const [net, bits] of SPECIAL_IPV4) {
  special.addSubnet(net, bits, 'ipv4');
  for (const prefix of BEFORE_IPV4) special.addSubnet(prefix + net, 96 + bits, 'ipv6');
}
for (const [net, bits] of SPECIAL_IPV6) special.addSubnet(net, bits, 'ipv6');
global.addSubnet('0.0.0.0', 0, 'ipv4');
global.addSubnet('2000::', 3, 'ipv6');
for (const prefix of BEFORE_IPV4) global.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6');

/** Names that lead to this host or its own network, by RFC 6761, 6762 and 8375 or by convention. */
const LOCAL_NAMES =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;

/** Returns true if an IP address, in its usual notation, belongs to a host that is reachable from the Internet. */
export function isPublicAddress(ip: string): boolean {
  const version = isIP(ip);
  // A zone, as in fe80::1%eth0, marks an address on the links of this host.
  if (version === 0 || ip.includes('%')) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return global.check(ip, family) && !special.check(ip, family);
}

/**
 * Returns the endpoint of a push subscription in its normal form; undefined when it is not an https URL that
 * the server may send requests to. The server sends requests to any URL that a client names, so it must not
 * lead into its own network (server-side request forgery). A name may still resolve to a private address:
 * that is checked again on connecting. `privateHosts` lists the private hosts that are allowed.
 */
export function pushEndpoint(url: string, privateHosts: readonly string[]): URL | undefined {
  if (!URL.canParse(url)) return undefined;
  const endpoint = new URL(url);
  const { protocol, username, password, href } = endpoint;
  if (protocol !== 'https:' || username !== '' || password !== '' || href.length > MAX_LENGTH)
    return undefined;
  const host = bareHost(endpoint.hostname);
  const isAllowed = privateHosts.some((each) => bareHost(each) === host) || isPublicHost(host);
  return isAllowed ? endpoint : undefined;
}

/** Returns the host in lower case, without the brackets of an IPv6 address or the dot at the end of a full name. */
const bareHost = (host: string): string => host.toLowerCase().replace(/^\[|\]$|\.$/g, '');

const isPublicHost = (host: string): boolean =>
  isIP(host) === 0 ? host.includes('.') && !LOCAL_NAMES.test(host) : isPublicAddress(host);
