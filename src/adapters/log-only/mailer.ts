import type { Logger } from 'pino';
import type { Mailer } from '../../notifications/deliver/mailer.ts';

/**
 * Creates a stand-in for a mail server. It logs one line for each letter, with its subject and the link to
 * open, so that developers can continue. The subject names people and groups; address and text stay out of
 * the log.
 */
export const createLogMailer = ({ log }: { log: Logger }): Mailer => ({
  async send({ messageId, subject, link }) {
    log.info({ messageId, subject, link }, 'mail not sent: SMTP_URL is not set');
  },
  async close() {},
});
