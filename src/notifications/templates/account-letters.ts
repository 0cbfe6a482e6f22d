import { INVITATION_DAYS } from '../../commands/company/invitations.ts';
import type { CompanyRole } from '../../events/company.ts';
import { type Letter, frame } from './frame.ts';
import { markup } from './html.ts';
import { oneLine, unlinked } from './wording.ts';

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
 * for a stranger's address. Only an invitation has the name of the company, without links: nobody would know what it is
 * about otherwise.
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

/** Builds the letter that invites to the team of a company, whoever the address belongs to. */
export function invitationLetter({
  site,
  url,
  companyName,
  role,
}: {
  site: string;
  url: string;
  companyName: string;
  role: CompanyRole;
}): Letter {
  const name = oneLine(unlinked(companyName));
  return accountLetter({
    subject: `${name} invites you to its team`,
    paragraphs: [
      `${name} invites you to work in its team at ${site}, in the role of ${role}.`,
      `The link works once, for ${INVITATION_DAYS} days. You join with an account for companies that has no jobs of its own, or with a new one.`,
    ],
    action: { label: 'See the invitation', url },
    otherwise: 'If you do not know who this is, do nothing: nobody joins without the link.',
  });
}
