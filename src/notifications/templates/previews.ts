import type { ApplicationNews, MessageNews } from '../deliver/notification-facts.ts';
import { ReviewStatus } from '../../events/application.ts';
import type { AccountLetter } from '../deliver/account-letters.ts';
import type { News } from '../kinds/kinds.ts';
import { addressChangeLetter, invitationLetter, resetLetter, verificationLetter } from './account-letters.ts';
import type { Letter } from './frame.ts';
import { letter } from './letter.ts';
import { pushPayload } from './push.ts';

const message = (messageId: string, said: Partial<MessageNews>): MessageNews => ({
  messageId,
  groupId: '00000000-0000-4000-8000-000000000020',
  groupName: 'Engineer (m/f/d)',
  senderName: 'Ada Lovelace',
  text: 'Good morning! When would be a good time to talk?',
  fileNames: [],
  isDeleted: false,
  isRead: false,
  ...said,
});

const application = (eventId: string, facts: Partial<ApplicationNews>): ApplicationNews => ({
  eventId,
  groupId: '00000000-0000-4000-8000-000000000020',
  jobTitle: 'Engineer (m/f/d)',
  companyName: 'Acme Ltd',
  applicantName: 'Ada Lovelace',
  status: 'submitted',
  reason: null,
  isSuperseded: false,
  ...facts,
});

const messages = [
  message('1', {}),
  message('2', { text: 'My CV:\nsee below', fileNames: ['Ada Lovelace CV.pdf', 'photo.png'] }),
  message('3', {
    groupId: '00000000-0000-4000-8000-000000000021',
    groupName: 'Stoker',
    senderName: 'Bob',
    text: 'Is it still open?',
  }),
];

/** Names and texts with markup, line breaks and misleading characters. */
const hostile = message('4', {
  senderName: '<script>alert(1)</script>\r\nBcc: everybody@example.org',
  groupName: '"><img src=x onerror=alert(1)> \u202Egnp.exe',
  text: `</blockquote><h1>You won</h1>\r\n-- \r\n${'👩‍👩‍👧‍👦'.repeat(200)}`,
  fileNames: ['../../etc/passwd', 'invoice\u202Efdp.exe', 'a"b\r\nc.txt'],
});

const statuses = ReviewStatus.options.map((status): [name: string, news: Partial<News>] => [
  `application-${status}`,
  { 'application-status': [application(status, { status, reason: 'Thank you for your time.' })] },
]);
const everything: News = {
  message: messages,
  'application-submitted': [application('a', {}), application('b', { applicantName: 'Bob' })],
  'application-status': [application('c', { status: 'interview' }), application('d', { status: 'rejected' })],
};
const nothing: News = { message: [], 'application-submitted': [], 'application-status': [] };

const examples: readonly (readonly [name: string, news: Partial<News>])[] = [
  ['message', { message: messages.slice(0, 1) }],
  ['messages-of-one-group', { message: messages.slice(0, 2) }],
  ['messages-of-two-groups', { message: messages }],
  ['application-submitted', { 'application-submitted': [application('submitted', {})] }],
  ...statuses,
  ['everything', everything],
  ['hostile', { message: [hostile] }],
];

const site = 'jobs.example.org';
const accountLetters: Record<AccountLetter['kind'], Letter> = {
  verification: verificationLetter({
    site,
    url: `https://${site}/v1/auth/email-verification/confirm?token=example`,
  }),
  'password-reset': resetLetter({
    site,
    url: `https://${site}/v1/auth/password-reset/confirm?token=example`,
  }),
  'address-change': addressChangeLetter({ site }),
  invitation: invitationLetter({
    site,
    url: `https://${site}/v1/invitations?token=example`,
    companyName: 'Acme Ltd',
    role: 'recruiter',
  }),
};

const files = (name: string, { subject, html, text }: Letter) => [
  { name: `${name}.html`, content: html },
  { name: `${name}.txt`, content: `Subject: ${subject}\n\n${text}` },
];

/** Returns every letter and push with invented data, for visual inspection: names of files and their contents. */
export const previews = (): { name: string; content: string }[] => [
  ...Object.entries(accountLetters).flatMap(([name, said]) => files(name, said)),
  ...examples.flatMap(([name, some]) => {
    const news = { ...nothing, ...some };
    return [
      ...files(
        name,
        letter(news, {
          recipientName: 'Grace Hopper',
          siteUrl: `https://${site}/`,
          unsubscribeUrl: `https://${site}/v1/unsubscribe?token=example`,
        }),
      ),
      { name: `${name}.push.json`, content: `${JSON.stringify(pushPayload(news, name), null, 2)}\n` },
    ];
  }),
];
