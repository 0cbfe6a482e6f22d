import { createHash } from 'node:crypto';
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Logger } from 'pino';
import webPush from 'web-push';
import { NotDelivered } from '../../notifications/deliver/mailer.ts';
import { isPublicAddress, pushEndpoint } from '../../notifications/deliver/push-endpoints.ts';
import {
  type PushPayload,
  type PushSubscription,
  type Pusher,
  SubscriptionGone,
} from '../../notifications/deliver/pusher.ts';

/** A client that was away for longer fetches its messages itself. */
const TTL_SECONDS = 86_400;
const PUSH_WITHIN_MS = 5_000;
const NOT_FOUND = 404;
const GONE = 410;
const TOO_MANY_REQUESTS = 429;
/** What push services answer when a subscription was made with another key. */
const OTHER_KEY: readonly number[] = [400, 401, 403];

/** Base64url: 65 bytes, and 32. */
interface KeyPair {
  publicKey: string;
  privateKey: string;
}

interface Vapid extends KeyPair {
  /** Earlier pairs, for subscriptions that were made with them. */
  previous?: readonly KeyPair[];
  /** `mailto:` or `https:`: the contact for the push service. */
  subject: string;
}

/**
 * Returns the topic of a tag. A push service keeps only the last push of a topic: 32 characters of base64url
 * at most (RFC 8030 §5.4).
 */
const topicOf = (tag: string): string => createHash('sha256').update(tag).digest('base64url').slice(0, 32);

/** A push that has waited this long waits for a slow push service. A service with several of these gets no more. */
const SLOW_AFTER_MS = 1_500;
const MOST_SLOW = 3;

/**
 * Returns the site of a push service: `a.push.example.org` and `b.push.example.org` are one service, as far
 * as names tell.
 */
const siteOf = ({ hostname }: URL): string =>
  isIP(hostname.replace(/^\[|\]$/g, '')) ? hostname : hostname.split('.').slice(-2).join('.');

/** Keeps a push service that does not answer from blocking all workers. */
function createSlowSites(slowAfterMs: number) {
  const waiting = new Map<string, Set<{ since: number }>>();
  return async function push<T>(site: string, work: () => Promise<T>): Promise<T> {
    const others = waiting.get(site) ?? new Set();
    const slow = [...others].filter(({ since }) => performance.now() - since > slowAfterMs);
    if (slow.length >= MOST_SLOW) throw new NotDelivered('the push service is slow', { isFinal: false });
    const own = { since: performance.now() };
    waiting.set(site, others.add(own));
    try {
      return await work();
    } finally {
      others.delete(own);
      if (others.size === 0) waiting.delete(site);
    }
  };
}

type Resolve = (
  host: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves names to allowed addresses only. The connection is made to the checked address, so that a name
 * cannot point elsewhere in between (DNS rebinding).
 */
const checkedLookup =
  (resolve: Resolve, isAllowed: (ip: string) => boolean): LookupFunction =>
  (host, options, callback) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const [first, ...others] = error ? [] : addresses.filter(({ address }) => isAllowed(address));
      if (!first) callback(error ?? new Error('no public address'), []);
      else if (options.all) callback(null, [first, ...others]);
      else callback(null, first.address, first.family);
    });

/**
 * Creates Web Push: encrypted (RFC 8291), signed (RFC 8292), handed to the push service that the browser
 * named. Clients choose that address, so: https, public addresses, no redirects, and only the status of the
 * answer is read. Throws at once when the VAPID keys are unusable.
 */
export function createWebPushPusher({
  vapid,
  privateHosts,
  log,
  ca,
  resolve = lookup,
  pushWithinMs = PUSH_WITHIN_MS,
  slowAfterMs = SLOW_AFTER_MS,
}: {
  vapid: Vapid;
  /** Hosts that may have a private address. */
  privateHosts: readonly string[];
  log: Logger;
  /** Certificates to trust in place of the usual ones, in PEM. */
  ca?: string;
  /** Resolves names to addresses. Default: the system's resolver. */
  resolve?: Resolve;
  pushWithinMs?: number;
  slowAfterMs?: number;
}): Pusher {
  const toSite = createSlowSites(slowAfterMs);
  const { subject, publicKey, previous = [] } = vapid;
  const pairs: readonly KeyPair[] = [vapid, ...previous];
  for (const pair of pairs)
    webPush.getVapidHeaders('https://example.org', subject, pair.publicKey, pair.privateKey, 'aes128gcm');
  const privateNames = new Set(privateHosts.map((host) => host.toLowerCase()));

  function post(
    endpoint: URL,
    { headers, body }: { headers: OutgoingHttpHeaders; body: Buffer | string | null },
    signal: AbortSignal,
  ): Promise<number> {
    const { promise, resolve: answer, reject } = Promise.withResolvers<number>();
    const sending = request(endpoint, {
      method: 'POST',
      headers,
      agent: false,
      signal,
      ...(ca !== undefined && { ca }),
      // A literal address is not looked up; the check of the endpoint covers it.
      lookup: checkedLookup(resolve, (ip) => privateNames.has(endpoint.hostname) || isPublicAddress(ip)),
    });
    sending.on('error', reject);
    sending.on('response', (response) => {
      answer(response.statusCode ?? 0);
      response.destroy();
    });
    sending.end(body);
    return promise;
  }

  /**
   * Encrypts the payload. Only the subscription's own keys can be wrong here, and then no attempt will ever
   * succeed.
   */
  function seal(subscription: PushSubscription, payload: PushPayload, pair: KeyPair) {
    try {
      return webPush.generateRequestDetails(subscription, JSON.stringify(payload), {
        vapidDetails: { ...pair, subject },
        contentEncoding: 'aes128gcm',
        TTL: TTL_SECONDS,
        urgency: 'normal',
        topic: topicOf(payload.tag),
      });
    } catch {
      throw new SubscriptionGone('the keys of the subscription are of no use');
    }
  }

  return {
    publicKey,
    async push({ endpoint, keys }, payload) {
      const url = pushEndpoint(endpoint, privateHosts);
      if (!url) throw new NotDelivered('the endpoint is not one to connect to', { isFinal: true });
      const signal = AbortSignal.timeout(pushWithinMs);
      /** Resolves with the status for the pair with which the subscription was made, or else for the last one. */
      async function postWith([pair, ...rest]: readonly KeyPair[]): Promise<number> {
        const status = await post(url!, seal({ endpoint: url!.href, keys }, payload, pair!), signal);
        return rest.length > 0 && OTHER_KEY.includes(status) ? postWith(rest) : status;
      }
      const status = await toSite(siteOf(url), () => postWith(pairs)).catch((error: unknown) => {
        if (error instanceof NotDelivered || error instanceof SubscriptionGone) throw error;
        const { code, name } = error as NodeJS.ErrnoException;
        throw new NotDelivered(`the push service is out of reach: ${code ?? name}`, { isFinal: false });
      });
      if (status >= 300) log.warn({ status, tag: payload.tag }, 'the push service refused a push');
      accept(status);
    },
  };
}

/** Throws unless the push service accepted the push (RFC 8030 §5, §7.3). */
function accept(status: number): void {
  if (status < 300) return;
  if (status === NOT_FOUND || status === GONE)
    throw new SubscriptionGone(`the push service answered ${status}`);
  const isFinal = status < 500 && status !== TOO_MANY_REQUESTS;
  throw new NotDelivered(`the push service answered ${status}`, { isFinal });
}
