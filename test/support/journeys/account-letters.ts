import { EmailAddress } from '../../../src/auth/email-address.ts';
import type { MailServer } from '../servers/mail-server.ts';
import { call } from '../../../tools/rest.ts';
import { until } from '../../../tools/until.ts';

export const VERIFICATION = 'Confirm your e-mail address';
export const RESET = 'Choose a new password';
/** The subject of an invitation to the company. */
export const invitationTo = (company: string) => `${company} invites you to its team`;
export const ADDRESS_CHANGE = 'The e-mail address of your account is about to change';

type Mails = Pick<MailServer, 'mails'>;

/** Returns the letters to an address, oldest first, without repetitions. The SMTP server sees A-labels. */
export const lettersTo = ({ mails }: Mails, address: string) => [
  ...new Map(
    mails
      .filter(({ to }) => to.some((each) => EmailAddress.parse(each) === address))
      .map((letter) => [letter.mail.messageId, letter]),
  ).values(),
];

/** Resolves with the link in the n-th letter with a subject to an address, once it has arrived. */
export async function linkIn(mail: Mails, address: string, subject: string, n = 1): Promise<string> {
  const found = () => lettersTo(mail, address).filter((letter) => letter.mail.subject === subject)[n - 1];
  await until(() => found() !== undefined, `“${subject}” to reach ${address}`);
  return /https?:\/\/\S+\?token=\S+/.exec(found()!.mail.text ?? '')![0];
}

export const tokenOf = (link: string): string => new URL(link).searchParams.get('token')!;

/** Confirms an address by the link in its letter. */
export async function confirmAddress(mail: Mails, address: string): Promise<void> {
  const link = await linkIn(mail, address, VERIFICATION);
  const path = '/v1/auth/email-verification/confirm';
  await call(link, 'POST', path, { body: { token: tokenOf(link) } });
}

/** Submits the form of a page like a browser. Returns the page and the answer. */
export async function pressButton(pageUrl: string, typed: Record<string, string> = {}) {
  const browser = { accept: 'text/html,application/xhtml+xml' };
  const opened = await fetch(pageUrl, { headers: browser });
  const page = await opened.text();
  const action = /<form method="post" action="([^"]*)">/.exec(page)![1]!;
  const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  const fields = { ...Object.fromEntries(hidden.map(([, name, value]) => [name!, value!])), ...typed };
  const answer = await fetch(new URL(action, pageUrl), {
    method: 'POST',
    headers: { ...browser, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  return { page, status: answer.status, headers: answer.headers, text: await answer.text() };
}
