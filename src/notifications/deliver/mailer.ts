/** A letter that is ready to go. */
export interface Mail {
  /** The same for every attempt at the same letter, so that receivers can drop a repetition. */
  messageId: string;
  /** Without a name where nobody has proved the address: it is a stranger's word. */
  to: { name: string; address: string };
  subject: string;
  html: string;
  text: string;
  /** RFC 8058: a POST to it ends the mails, without a question. Undefined for what nobody can do without. */
  unsubscribeUrl?: string | undefined;
  /** What the letter asks its reader to open. */
  link?: string | undefined;
}

/** What the other side said no to; `isFinal` when asking again is of no use. */
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
  /** Resolves once the mail server has taken it over. Rejects with `NotDelivered`, after 30 s at the latest. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}
