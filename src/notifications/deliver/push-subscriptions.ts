import type { UserId } from '../../events/ids.ts';
import type { PushSubscription } from './pusher.ts';

/** Maximum number of browsers of one user. Beyond it, the oldest subscription is dropped. */
export const MAX_SUBSCRIPTIONS = 20;

/**
 * The port of the browsers that get notifications. They are kept outside the log, because an endpoint is a
 * secret of its user.
 */
export interface PushSubscriptions {
  /**
   * Adds a subscription. An endpoint belongs to the user who subscribed last. Resolves with false when the
   * user had it already.
   */
  add(userId: UserId, subscription: PushSubscription): Promise<boolean>;
  /** Removes a subscription. Resolves with false when the user has no such subscription. */
  remove(userId: UserId, endpoint: string): Promise<boolean>;
  /** Removes a subscription of any user, after the push service has reported that it is gone. */
  drop(endpoint: string): Promise<void>;
  ofUser(userId: UserId): Promise<PushSubscription[]>;
}
