import { type News, kindNames, kinds } from '../kinds/kinds.ts';
import type { NotificationKind } from '../notification.ts';
import { type Letter, frame } from './frame.ts';
import { markup } from './html.ts';
import type { Section } from './section.ts';
import { oneLine } from './wording.ts';

const sectionOf = <K extends NotificationKind>(kind: K, news: News): Section[] =>
  news[kind].length > 0 ? [kinds[kind].section(news[kind])] : [];

/** Writes one letter about all news of a batch, which must not be empty. */
export function letter(
  news: News,
  {
    recipientName,
    siteUrl,
    unsubscribeUrl,
  }: { recipientName: string; siteUrl: string; unsubscribeUrl: string },
): Letter {
  const sections = kindNames.flatMap((kind) => sectionOf(kind, news));
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
