import type { UserId } from '../../events/ids.ts';
import type { PushSubscription } from './pusher.ts';

/** CONTRACT is silent on how many browsers a person has; the oldest gives way. */
export const MAX_SUBSCRIPTIONS = 20;

/** The port of the browsers that want to be told. They are kept beside the log: an endpoint is a secret of its user. */
export interface PushSubscriptions {
  /** An endpoint belongs to whoever subscribed last. False when the user had it already. */
  add(userId: UserId, subscription: PushSubscription): Promise<boolean>;
  /** False when the user has no such subscription. */
  remove(userId: UserId, endpoint: string): Promise<boolean>;
  /** Whoever it belongs to: the push service says that it is gone. */
  drop(endpoint: string): Promise<void>;
  ofUser(userId: UserId): Promise<PushSubscription[]>;
}
