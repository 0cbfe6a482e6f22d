/** A browser's PushSubscription (W3C Push API), as it is stored. */
export interface PushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** The JSON that the page's service worker receives. */
export interface PushPayload {
  /** The same for every attempt: a service worker shows a `tag` once. */
  tag: string;
  title: string;
  body: string;
  groupId: string;
}

/** The browser or its user ended the subscription. It will never work again. */
export class SubscriptionGone extends Error {
  override readonly name = 'SubscriptionGone';
}

/** The port of Web Push (RFC 8030, 8291, 8292). */
export interface Pusher {
  /** The key that pages subscribe with; undefined when there are no VAPID keys. */
  readonly publicKey: string | undefined;
  /**
   * Resolves once the push service has accepted it. Rejects with `SubscriptionGone`, or `NotDelivered` after
   * 15 s at the latest.
   */
  push(subscription: PushSubscription, payload: PushPayload): Promise<void>;
}
