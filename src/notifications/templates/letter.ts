import type { News } from '../deliver/look-again.ts';
import { applicationStatusSection } from './application-status.ts';
import { applicationSubmittedSection } from './application-submitted.ts';
import { type Letter, frame } from './frame.ts';
import { markup } from './html.ts';
import { messagesSection } from './messages.ts';
import type { Section } from './section.ts';
import { oneLine } from './wording.ts';

/** The most important first: it gives the letter its subject. */
const sectionsOf = ({ statuses, submitted, messages }: News): Section[] => [
  ...(statuses.length > 0 ? [applicationStatusSection(statuses)] : []),
  ...(submitted.length > 0 ? [applicationSubmittedSection(submitted)] : []),
  ...(messages.length > 0 ? [messagesSection(messages)] : []),
];

/** One letter about everything in the batch; there has to be something. */
export function letter(
  news: News,
  {
    recipientName,
    siteUrl,
    unsubscribeUrl,
  }: { recipientName: string; siteUrl: string; unsubscribeUrl: string },
): Letter {
  const sections = sectionsOf(news);
  const subject = oneLine(sections[0]?.subject ?? '', 200);
  const name = oneLine(recipientName);
  const why = 'You get this mail because something happened while you were away.';
  return {
    subject,
    html: frame({
      subject,
      main: markup`<h1>Hello <bdi>${name}</bdi></h1>
${sections.map((section) => section.html)}
<p><a href="${siteUrl}">Read more and answer</a></p>`,
      footer: markup`<p>${why} <a href="${unsubscribeUrl}">Unsubscribe from these mails</a></p>`,
    }),
    text: [
      `Hello ${name},`,
      ...sections.map((section) => section.text),
      `Read more and answer: ${siteUrl}`,
      `-- \n${why}\nUnsubscribe from these mails: ${unsubscribeUrl}\n`,
    ].join('\n\n'),
  };
}
