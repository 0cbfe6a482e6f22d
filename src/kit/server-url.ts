import { isIPv6 } from 'node:net';

export interface ServerUrl {
  /** In lower case, without the colon. */
  scheme: string;
  username?: string;
  password?: string;
  /**
   * Without brackets; the folder of a Unix socket begins with a slash. Empty for a URL that names a path only,
   * such as that of a Unix socket.
   */
  hosts: { host: string; port?: number }[];
  /** Decoded, with its leading slash; empty without one. */
  path: string;
  query: URLSearchParams;
}

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i;
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i;
/** An address in brackets, a name or an address, or the percent-encoded folder of a Unix socket. */
const HOST =
  /^(?:\[([0-9a-f:.]+)\]|([\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}._-]*[\p{L}\p{M}\p{N}_])?\.?)|(%2f[a-z0-9._%~-]+))(?::(\d{1,5}))?$/iu;

/**
 * Parses the address of one server or of several, `scheme://user:password@host:port,host:port/path?query`.
 * User and password are percent-encoded; an IPv6 address is in brackets. Returns undefined for anything else.
 */
export function parseServerUrl(text: string): ServerUrl | undefined {
  const [, scheme, credentials, authority, path, query] = PARTS.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const [username, ...rest] = credentials?.split(':') ?? [];
  try {
    const hosts = authority === '' ? [] : authority!.split(',').map(parseHost);
    if (hosts.some((host) => host === undefined) || rest.length > 1) return undefined;
    return {
      scheme: scheme.toLowerCase(),
      ...(username && { username: decodeURIComponent(username) }),
      ...(rest[0] && { password: decodeURIComponent(rest[0]) }),
      hosts: hosts as ServerUrl['hosts'],
      path: decodeURIComponent(path!),
      query: new URLSearchParams(query),
    };
  } catch {
    return undefined;
  }
}

/** Returns undefined for what is no host. Throws `URIError` for a folder that is badly encoded. */
function parseHost(text: string): ServerUrl['hosts'][number] | undefined {
  const [, ipv6, name, folder, port] = HOST.exec(text) ?? [];
  const host = ipv6 ?? name ?? (folder && decodeURIComponent(folder));
  if (
    host === undefined ||
    (ipv6 !== undefined && !isIPv6(ipv6)) ||
    Number(port ?? 1) < 1 ||
    Number(port ?? 1) > 65_535
  )
    return undefined;
  return { host, ...(port !== undefined && { port: Number(port) }) };
}

/**
 * Returns the URL with a list of hosts percent-encoded, `scheme://a%3A1%2Cb%3A2/path`, so that `URL` reads it. A URL
 * with one host is returned as it is.
 */
export const encodeHosts = (url: string): string =>
  url.replace(AUTHORITY, (authority, hosts: string) =>
    hosts.includes(',') ? authority.slice(0, -hosts.length) + encodeURIComponent(hosts) : authority,
  );

/** Returns the hosts of a URL that `encodeHosts` returned. */
export function hostsOf(url: string): ServerUrl['hosts'] {
  const { host } = new URL(url);
  const hosts = /^%2F/i.test(host) ? host : decodeURIComponent(host);
  return hosts.split(',').map((each) => parseHost(each)!);
}

/** Returns what a URL tells of the place of a server: its hosts, or the path of a socket. */
export function placeIn(url: string): string {
  const [start = '', hosts = ''] = AUTHORITY.exec(url) ?? [];
  return decodeURIComponent(hosts === '' ? url.slice(start.length).split('?')[0]! : hosts);
}

/** Returns the URL with one host in place of its own, percent-encoded: not every library reads brackets. */
export function withHost(url: string, { host, port }: ServerUrl['hosts'][number]): string {
  const address = new URL(url);
  address.hostname = encodeURIComponent(host);
  address.port = String(port ?? '');
  return address.href;
}

/** Words that the names of parameters with a secret contain. */
const SECRET = /((?:user|login|pass|pwd|secret|token|key|auth)[^&=]*=)[^&]*/gi;

/** Returns a text for the log, shortened and without what may be a user or a password. */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/[^ -~]+/g, '?')
    // Some encode the @ before the host as well.
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*(?:@|%40)/i, '$1***@')
    .replace(SECRET, '$1***')
    .slice(0, 200);
