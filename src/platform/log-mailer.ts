import type { Logger } from 'pino';
import type { Mailer } from '../notifications/mailer.ts';

/**
 * In place of a mail server: one line for each letter, with its subject, so that an operator who tries things out sees
 * that it would have gone. The subject names people and groups; address and text stay out of the log.
 */
export const createLogMailer = ({ log }: { log: Logger }): Mailer => ({
  async send({ messageId, subject }) {
    log.info({ messageId, subject }, 'mail not sent: SMTP_URL is not set');
  },
  async close() {},
});
