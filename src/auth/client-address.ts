import ipaddr from 'ipaddr.js';

/** An IPv6 customer owns a /64 and could come from a new address each time. */
const NETWORK_BITS = 64;

/**
 * What limits by address count by: the IPv4 address, or the network of the IPv6 one. A proxy may have written it with
 * a port, in brackets, or with a zone; what is no address counts as `unknown`, however it differs.
 */
export function countedAddress(written: string): string {
  const address = withoutPort(written);
  // Four decimal numbers only: others read 010.0.0.1 or 167772161 as an address too.
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return 'unknown';
  const ip = ipaddr.process(address);
  if (ip.kind() === 'ipv4') return ip.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${ip.toString().replace(/%.*$/, '')}/${NETWORK_BITS}`).toString()}/${NETWORK_BITS}`;
}

const withoutPort = (written: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
