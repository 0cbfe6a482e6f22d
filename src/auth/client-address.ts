import ipaddr from 'ipaddr.js';

/** An IPv6 customer owns a /64 and could use a new address for every request. */
const NETWORK_BITS = 64;

/**
 * Returns the key for limits by address: the IPv4 address, or the network of the IPv6 address. A proxy may
 * have written it with a port, in brackets, or with a zone. Everything that is not an address counts as
 * `unknown`.
 */
export function countedAddress(written: string): string {
  const address = withoutPort(written);
  // Four decimal numbers only: other parsers also read 010.0.0.1 or 167772161 as an address.
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return 'unknown';
  const ip = ipaddr.process(address);
  if (ip.kind() === 'ipv4') return ip.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${ip.toString().replace(/%.*$/, '')}/${NETWORK_BITS}`).toString()}/${NETWORK_BITS}`;
}

const withoutPort = (written: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
