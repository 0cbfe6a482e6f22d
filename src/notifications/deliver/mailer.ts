/** A letter that is ready to send. */
export interface Mail {
  /** The same for every attempt at the same letter, so that receivers can drop a repetition. */
  messageId: string;
  /** The name is empty for an unverified address, because a stranger may have given it. */
  to: { name: string; address: string };
  subject: string;
  html: string;
  text: string;
  /** RFC 8058: a POST to it ends the mails without a question. Undefined for mail that cannot be switched off. */
  unsubscribeUrl?: string | undefined;
  /** The link that the letter asks its reader to open. */
  link?: string | undefined;
}

/** A refusal by the other side; `isFinal` when another attempt is of no use. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
  readonly isFinal: boolean;

  constructor(message: string, { isFinal, cause }: { isFinal: boolean; cause?: unknown }) {
    super(message, { cause });
    this.isFinal = isFinal;
  }
}

/** The port of outgoing mail. */
export interface Mailer {
  /** Resolves once the mail server has accepted the mail. Rejects with `NotDelivered`, after 30 s at the latest. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}
