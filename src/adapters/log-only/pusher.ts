import type { Logger } from 'pino';
import type { Pusher } from '../../notifications/deliver/pusher.ts';

/**
 * Creates a stand-in without VAPID keys. It logs one line for each push, with its title, but neither its text
 * nor its destination.
 */
export const createLogPusher = ({ log }: { log: Logger }): Pusher => ({
  publicKey: undefined,
  async push(_subscription, { tag, title }) {
    log.info({ tag, title }, 'push not sent: VAPID_PUBLIC_KEY is not set');
  },
});
