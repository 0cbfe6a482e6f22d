import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import { type Mailer, NotDelivered } from '../../notifications/deliver/mailer.ts';
import { within } from '../../kit/deadline.ts';

const MAX_CONNECTIONS = 5;
const SEND_WITHIN_MS = 30_000;
const VERIFY_WITHIN_MS = 5_000;
/** Readiness may be checked every second; the server is asked only this often. */
const VERIFY_EVERY_MS = 10_000;

/** The fields that nodemailer adds to its errors: its own code, and the server's three digits. */
interface SmtpError {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
}

/**
 * Returns true if the recipient or the letter is refused, by the server (5yz, RFC 5321 §4.2.1) or before it
 * was asked.
 */
const isFinal = ({ code, responseCode, command }: SmtpError): boolean =>
  responseCode === undefined
    ? code === 'EENVELOPE' || code === 'EMESSAGE'
    : responseCode >= 500 && (code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'RCPT TO'));

/** Describes an error by the server's numbers only (RFC 3463): its text may name the recipient. */
function describe({ code, responseCode, response }: SmtpError): string {
  if (responseCode === undefined) return `the mail server cannot be used: ${code ?? 'no answer'}`;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
  return `the mail server answered ${responseCode}${enhanced ? ` ${enhanced}` : ''}`;
}

/**
 * Creates a mailer through an SMTP server, `smtp://user:password@host:port` (with STARTTLS where it is
 * offered) or `smtps://…`, over at most five connections. When the server drops the connection, only the
 * worker decides to send the letter again.
 */
export function createSmtpMailer({
  url,
  from,
  log,
  sendWithinMs = SEND_WITHIN_MS,
}: {
  url: string;
  /** `Jobs <jobs@example.org>` */
  from: string;
  log: Logger;
  sendWithinMs?: number;
}): Mailer & {
  /**
   * Resolves with the reason why no mail can be handed over now; undefined when it can. Asks the server at
   * most every 10 s.
   */
  failure(): Promise<string | undefined>;
} {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    maxRequeues: 0,
    connectionTimeout: sendWithinMs,
    greetingTimeout: sendWithinMs,
    socketTimeout: sendWithinMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  transport.on('error', (error: SmtpError) => log.warn({ reason: describe(error) }, 'mail server lost'));
  let verified: { at: number; result: Promise<string | undefined> } | undefined;

  async function verify(): Promise<string | undefined> {
    const answer = transport.verify().then(
      () => undefined,
      (error: unknown) => describe(error as SmtpError),
    );
    return within<string | undefined>(answer, VERIFY_WITHIN_MS, () => 'the mail server does not answer');
  }

  return {
    async send({ messageId, to, subject, html, text, unsubscribeUrl }) {
      try {
        await transport.sendMail({
          from,
          to,
          subject,
          html,
          text,
          messageId,
          headers: {
            ...(unsubscribeUrl !== undefined && {
              'List-Unsubscribe': { prepared: true, value: `<${unsubscribeUrl}>` },
              'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
              Precedence: 'bulk',
            }),
            // RFC 3834, and its proprietary counterpart: prevents absence notes as answers.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
          },
          signal: AbortSignal.timeout(sendWithinMs),
        });
      } catch (error) {
        throw new NotDelivered(describe(error as SmtpError), { isFinal: isFinal(error as SmtpError) });
      }
    },
    failure() {
      const now = performance.now();
      if (!verified || now - verified.at > VERIFY_EVERY_MS) verified = { at: now, result: verify() };
      return verified.result;
    },
    close: async () => transport.close(),
  };
}
