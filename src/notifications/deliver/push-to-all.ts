import type { UserId } from '../../events/ids.ts';
import { NotDelivered } from './mailer.ts';
import type { PushSubscriptions } from './push-subscriptions.ts';
import { type PushPayload, type Pusher, SubscriptionGone } from './pusher.ts';

type Answer = 'taken' | 'gone' | NotDelivered;

/**
 * Pushes to every browser of a user. The push counts as sent when one of them has it, because another attempt
 * would show it there twice. Subscriptions that have ended are dropped. Throws `NotDelivered` when no browser
 * has it and at least one refused it.
 */
export async function pushToAll(
  {
    pusher,
    subscriptions,
  }: { pusher: Pick<Pusher, 'push'>; subscriptions: Pick<PushSubscriptions, 'ofUser' | 'drop'> },
  userId: UserId,
  payload: PushPayload,
): Promise<'sent' | 'no-address'> {
  const all = await subscriptions.ofUser(userId);
  const answers = await Promise.all(
    all.map(async (subscription): Promise<Answer> => {
      try {
        await pusher.push(subscription, payload);
        return 'taken';
      } catch (error) {
        if (error instanceof NotDelivered) return error;
        if (!(error instanceof SubscriptionGone)) throw error;
        await subscriptions.drop(subscription.endpoint);
        return 'gone';
      }
    }),
  );
  if (answers.includes('taken')) return 'sent';
  const refusals = answers.filter((answer) => answer instanceof NotDelivered);
  const refusal = refusals.find(({ isFinal }) => !isFinal) ?? refusals[0];
  if (refusal) throw refusal;
  return 'no-address';
}
