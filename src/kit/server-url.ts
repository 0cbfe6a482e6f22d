export interface ServerUrl {
  /** Without the colon. */
  scheme: string;
  username?: string;
  password?: string;
  /** Without brackets. Empty for a URL that names a path only, such as that of a Unix socket. */
  hosts: { host: string; port?: number }[];
  /** Decoded, with its leading slash; empty without one. */
  path: string;
  query: URLSearchParams;
}

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i;
/** A name, an address, or the percent-encoded folder of a Unix socket. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_%](?:[a-z0-9._%-]*[a-z0-9_])?))(?::(\d{1,5}))?$/i;

/**
 * Parses the address of one server or of several, `scheme://user:password@host:port,host:port/path?query`.
 * User and password are percent-encoded; an IPv6 address is in brackets. Returns undefined for anything else.
 */
export function parseServerUrl(text: string): ServerUrl | undefined {
  const [, scheme, credentials, authority, path, query] = PARTS.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const hosts = authority === '' ? [] : authority!.split(',').map(parseHost);
  const [username, ...rest] = credentials?.split(':') ?? [];
  try {
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

function parseHost(text: string): ServerUrl['hosts'][number] | undefined {
  const [, ipv6, name, port] = HOST.exec(text) ?? [];
  const host = ipv6 ?? (name && decodeURIComponent(name));
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return undefined;
  return { host, ...(port !== undefined && { port: Number(port) }) };
}

/** Returns a text for the log, shortened and without what may be a user or a password. */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/[^ -~]+/g, '?')
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, '$1***@')
    .replace(/((?:pass|secret|token|key)[a-z]*=)[^&]*/gi, '$1***')
    .slice(0, 200);
