import type { Logger } from 'pino';
import type { Pusher } from '../../notifications/deliver/pusher.ts';

/** Without VAPID keys: one line for each push, with its title; neither its text nor where it would have gone. */
export const createLogPusher = ({ log }: { log: Logger }): Pusher => ({
  publicKey: undefined,
  async push(_subscription, { tag, title }) {
    log.info({ tag, title }, 'push not sent: VAPID_PUBLIC_KEY is not set');
  },
});
