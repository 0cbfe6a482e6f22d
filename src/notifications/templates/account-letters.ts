import { type Letter, frame } from './frame.ts';
import { markup } from './html.ts';

interface Said {
  subject: string;
  /** The event and the action to take. */
  paragraphs: readonly string[];
  action?: { label: string; url: string };
  /** The action to take if the reader did not cause the letter. */
  otherwise: string;
}

/**
 * Builds a letter about an account. It contains no text that a user chose, because it may have been requested
 * for a stranger's address.
 */
function accountLetter({ subject, paragraphs, action, otherwise }: Said): Letter {
  return {
    subject,
    html: frame({
      subject,
      main: markup`<h1>${subject}</h1>
${paragraphs.map((paragraph) => markup`<p>${paragraph}</p>`)}
${action ? [markup`<p><a href="${action.url}">${action.label}</a></p>`] : []}`,
      footer: markup`<p>${otherwise}</p>`,
    }),
    text: [
      `${subject}`,
      ...paragraphs,
      ...(action ? [`${action.label}: ${action.url}`] : []),
      `-- \n${otherwise}\n`,
    ].join('\n\n'),
  };
}

/** Builds the letter that asks the owner of an address to confirm it; `site` is a host. */
export const verificationLetter = ({ site, url }: { site: string; url: string }): Letter =>
  accountLetter({
    subject: 'Confirm your e-mail address',
    paragraphs: [
      `This address was given for an account at ${site}.`,
      'Open the link within 24 hours, and confirm that the address is yours. Until then we send no other mail to this account.',
    ],
    action: { label: 'Confirm the address', url },
    otherwise: 'If it was not you, do nothing: without your confirmation there is no other mail.',
  });

/** Builds the letter for a user who has forgotten the password. */
export const resetLetter = ({ site, url }: { site: string; url: string }): Letter =>
  accountLetter({
    subject: 'Choose a new password',
    paragraphs: [
      `A password reset was requested for the account with this address at ${site}.`,
      'The link works once, for 30 minutes. The new password ends every session of the account.',
    ],
    action: { label: 'Choose a new password', url },
    otherwise: 'If it was not you, do nothing: your password stays as it is.',
  });

/** Builds the notice to the present address, so that no account changes hands without notice. */
export const addressChangeLetter = ({ site }: { site: string }): Letter =>
  accountLetter({
    subject: 'The e-mail address of your account is about to change',
    paragraphs: [
      `Another address was given for your account at ${site}. It takes the place of this one as soon as it is confirmed.`,
    ],
    otherwise:
      'If it was not you, another person knows your password: choose a new one now. That ends every session but yours.',
  });
