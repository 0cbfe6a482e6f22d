import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs } from '../../kit/back-off.ts';
import type { TraceContext } from '../../kit/trace-context.ts';
import { type Tracing, inSpan, noTracing } from '../../kit/tracing.ts';
import type { UserId } from '../../events/ids.ts';
import { NotCaughtUp } from '../../projections/projection.ts';
import type { AccountLetter, WriteAccountLetter } from './account-letters.ts';
import type { NotificationFacts } from './notification-facts.ts';
import { type SecondLook, lookAgain } from './look-again.ts';
import { type Mailer, NotDelivered } from './mailer.ts';
import type { Batch, Channel, NotificationOutcome, Skipped } from '../notification.ts';
import type { Outbox } from '../outbox.ts';
import { pushToAll } from './push-to-all.ts';
import type { PushSubscriptions } from './push-subscriptions.ts';
import type { Pusher } from './pusher.ts';
import { quietUntil } from './quiet-hours.ts';
import { letter } from '../templates/letter.ts';
import { pushPayload } from '../templates/push.ts';
import { oneLine } from '../templates/wording.ts';

/**
 * Maximum number of attempts that may fail for a temporary reason. With the back-off below they span most of
 * a working day.
 */
const MAX_ATTEMPTS = 12;
export const BACK_OFF_MS = { first: 30_000, most: 3_600_000 };

/** Read models that are behind have mostly caught up after this time. */
const CATCH_UP_MS = 1_000;
/** While a batch is being sent to a recipient, the next one waits this long before it is published again. */
const NEXT_MS = 1_000;

export interface WorkerDeps {
  outbox: Pick<Outbox, 'load' | 'settle' | 'retry' | 'park'>;
  facts: NotificationFacts;
  mailer: Pick<Mailer, 'send'>;
  pusher: Pick<Pusher, 'push'>;
  subscriptions: Pick<PushSubscriptions, 'ofUser' | 'drop'>;
  /** Writes a letter about an account; undefined when it is not to be sent any more. */
  writeAccountLetter: WriteAccountLetter;
  /** Returns the URL where one POST ends the mails to this user (RFC 8058). */
  unsubscribeUrl: (userId: UserId) => string;
  /**
   * The URL where users read their messages. Its host is in every Message-ID, so it should not change while
   * mails wait.
   */
  siteUrl: string;
  now: () => Date;
  tracing?: Tracing;
  log: Logger;
  metrics?: {
    notificationsSettled(channel: Channel, outcome: 'sent' | Skipped, count: number): void;
  };
  /** Time for which an outage of the database is retried before the queue gets the error. Default 20 s. */
  patienceMs?: number;
}

export interface Worker {
  /** Rejects only for a bug, or when the database stays away. The queue then delivers the batch again. */
  handle(batchId: string, trace?: TraceContext): Promise<void>;
  /** Called when the queue has delivered a batch too often. */
  onDead(batchId: string, reason: string): Promise<void>;
}

/**
 * Creates a worker. It sends the content of a batch after a second look at all of it. There is no transaction
 * between sending and settling: after a crash in between, the same letter is sent again with the same
 * Message-ID, or the same push with the same tag.
 */
export function createWorker(deps: WorkerDeps): Worker {
  const { outbox, facts, log, metrics, now, patienceMs = 20_000, tracing = noTracing } = deps;
  const { hostname } = new URL(deps.siteUrl);
  const inHand = new Map<string, Promise<void>>();
  /** Recipients that are being sent to, by channel. A recipient takes at most one place in a lane. */
  const sendingTo = new Set<string>();

  /**
   * Retries for a while: a sent batch must be settled, and an outage must not use up the deliveries that a
   * poisoned batch is allowed.
   */
  async function persistently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (let waitMs = 50; ; waitMs = Math.min(2 * waitMs, 1_000)) {
      try {
        return await work();
      } catch (error) {
        if (performance.now() + waitMs > deadline) throw error;
        await pause(waitMs);
      }
    }
  }

  async function settle(batch: Batch, outcomes: NotificationOutcome[]): Promise<void> {
    await persistently(() => outbox.settle(batch.batchId, outcomes));
    for (const [outcome, { length }] of Map.groupBy(outcomes, (o) => o.outcome))
      metrics?.notificationsSettled(batch.channel, outcome, length);
  }

  async function park({ batchId, channel }: Batch, reason: string): Promise<void> {
    await persistently(() => outbox.park(batchId, reason));
    log.error({ batchId, channel, reason }, 'parked notifications that cannot be delivered');
  }

  /** A stranger may have given any address for an account, so its letter is not an operator's concern. */
  async function giveUp(batch: Batch, reason: string): Promise<void> {
    if (!batch.letter) return park(batch, reason);
    await settle(batch, []);
    log.warn(
      { batchId: batch.batchId, reason },
      'the mail server refused an account letter; it is not sent again',
    );
  }

  async function putOff(batch: Batch, error: Error): Promise<void> {
    const { batchId, channel, attempts } = batch;
    const reason = error.message;
    if (attempts + 1 > MAX_ATTEMPTS) return park(batch, reason);
    const isBehind = error instanceof NotCaughtUp && attempts === 0;
    const at = new Date(now().getTime() + (isBehind ? CATCH_UP_MS : backOffMs(BACK_OFF_MS, attempts + 1)));
    await persistently(() => outbox.retry(batchId, at, reason));
    log.warn({ batchId, channel, attempts, reason }, 'could not deliver notifications; retrying later');
  }

  const messageIdOf = ({ batchId }: Batch) => `<${batchId}@${hostname}>`;

  /** Ignores preferences and quiet hours, because the reader waits for the letter. */
  async function sendAccountLetter(batch: Batch, letter: AccountLetter): Promise<void> {
    const content = await deps.writeAccountLetter(batch.batchId, letter);
    if (!content) return;
    const to = { name: '', address: letter.address };
    await deps.mailer.send({ ...content, messageId: messageIdOf(batch), to });
  }

  async function sendMail(batch: Batch, { recipient, news }: SecondLook): Promise<'sent' | Skipped> {
    const address = await facts.emailAddress(batch.recipientId);
    if (address === undefined || !recipient) return 'no-address';
    const unsubscribeUrl = deps.unsubscribeUrl(batch.recipientId);
    const { siteUrl } = deps;
    await deps.mailer.send({
      ...letter(news, { recipientName: recipient.displayName, siteUrl, unsubscribeUrl }),
      messageId: messageIdOf(batch),
      to: { name: oneLine(recipient.displayName), address },
      unsubscribeUrl,
    });
    return 'sent';
  }

  const send: Record<Channel, typeof sendMail> = {
    email: sendMail,
    push: async (batch, { news }) => pushToAll(deps, batch.recipientId, pushPayload(news, batch.batchId)),
  };

  async function deliver(batch: Batch): Promise<void> {
    if (batch.letter) {
      await sendAccountLetter(batch, batch.letter);
      return settle(batch, []);
    }
    const look = await lookAgain(batch, facts);
    if (look.remaining.length === 0) return settle(batch, look.skipped);
    const quiet = quietUntil(look.recipient?.preferences.quietHours ?? null, now());
    if (quiet) return persistently(() => outbox.retry(batch.batchId, quiet));
    const outcome = await send[batch.channel](batch, look);
    await settle(batch, [...look.skipped, ...look.remaining.map((eventId) => ({ eventId, outcome }))]);
  }

  async function attempt(batchId: string, parent: TraceContext | undefined): Promise<void> {
    const batch = await persistently(() => outbox.load(batchId));
    if (!batch) {
      // Delivered again; or of a database that was restored since.
      log.info({ batchId }, 'the queue delivered a batch that is done, parked or unknown; dropping it');
      return;
    }
    const place = `${batch.channel} ${batch.recipientId}`;
    if (sendingTo.has(place)) {
      const next = new Date(now().getTime() + NEXT_MS);
      return persistently(() => outbox.retry(batchId, next));
    }
    sendingTo.add(place);
    try {
      const attributes = {
        'messaging.operation.name': 'deliver',
        'messaging.operation.type': 'process',
        'messaging.message.id': batchId,
        'chat.channel': batch.channel,
      };
      await inSpan(tracing, 'letter', { parent, kind: 'consumer', attributes }, () => deliver(batch));
    } catch (error) {
      if (error instanceof NotDelivered && error.isFinal) await giveUp(batch, error.message);
      else if (error instanceof NotDelivered || error instanceof NotCaughtUp) await putOff(batch, error);
      else throw error;
    } finally {
      sendingTo.delete(place);
    }
  }

  return {
    /**
     * After a reconnect the broker delivers again what is still being sent here: the second delivery waits
     * for the first.
     */
    handle(batchId, trace) {
      const running = inHand.get(batchId);
      if (running) return running;
      const handling = attempt(batchId, trace).finally(() => inHand.delete(batchId));
      inHand.set(batchId, handling);
      return handling;
    },
    async onDead(batchId, reason) {
      const batch = await persistently(() => outbox.load(batchId));
      if (batch) await park(batch, reason);
    },
  };
}
