import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { countedAddress } from '../../auth/client-address.ts';
import { WINDOW_SECONDS } from '../../protocol/rate-limits.ts';

interface SlowRefusals {
  /** Number of refusals a minute that a caller gets without delay. */
  atOnce?: number;
  /** Delay of each further refusal. */
  delayMs?: number;
  /** Number of refusals held back at a time. Beyond it, the connection is closed with the answer. */
  mostHeld?: number;
}

/** Number of callers, by user or address, that are remembered. */
const CALLERS = 10_000;
const TOO_MANY_REQUESTS = 429;

/**
 * Delays the refusals of a caller that goes on after many of them. A refusal costs little, but a client that
 * repeats a call without a pause would still take a processor from the others.
 */
export function refuseSlowly(
  app: FastifyInstance,
  { atOnce = 20, delayMs = 100, mostHeld = 1_000 }: SlowRefusals = {},
): void {
  /** Refusals by caller in this minute. A flood of new callers starts the next minute early. */
  let refusals = new Map<string, number>();
  let endsAt = 0;
  let held = 0;

  function countRefusal({ session, client, ip }: FastifyRequest): number {
    const now = performance.now();
    if (now >= endsAt || refusals.size >= CALLERS) {
      refusals = new Map();
      endsAt = now + WINDOW_SECONDS * 1_000;
    }
    const caller = client?.clientId ?? session?.actor.userId ?? countedAddress(ip);
    const count = (refusals.get(caller) ?? 0) + 1;
    refusals.set(caller, count);
    return count;
  }

  /** Resolves after the delay, or when the caller has disconnected. */
  async function hold({ raw }: FastifyReply): Promise<void> {
    held += 1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      raw.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    held -= 1;
  }

  app.addHook('onSend', async (request, reply) => {
    if (reply.statusCode !== TOO_MANY_REQUESTS || countRefusal(request) <= atOnce) return;
    if (held < mostHeld) await hold(reply);
    else void reply.header('Connection', 'close');
  });
}
