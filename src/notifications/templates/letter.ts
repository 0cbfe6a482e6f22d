import type { News } from '../look-again.ts';
import { applicationStatusSection } from './application-status.ts';
import { applicationSubmittedSection } from './application-submitted.ts';
import { markup } from './html.ts';
import { messagesSection } from './messages.ts';
import type { Section } from './section.ts';
import { oneLine } from './wording.ts';

export interface Letter {
  /** One line. */
  subject: string;
  html: string;
  /** Says the same as `html`. */
  text: string;
}

/** Colours with a contrast of 7 : 1 and more, light and dark; nothing is loaded from anywhere. */
const STYLE = markup`<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 16px; background: #ffffff; color: #1a1a1a; font: 16px/1.5 system-ui, sans-serif; }
main, footer { max-width: 600px; margin: 0 auto; overflow-wrap: anywhere; }
h1 { font-size: 20px; } h2 { font-size: 18px; } h3 { font-size: 16px; margin-bottom: 4px; }
blockquote { margin: 0 0 16px; padding: 0 0 0 12px; border-left: 4px solid #767676; white-space: pre-wrap; }
footer { margin-top: 32px; padding-top: 16px; border-top: 1px solid #767676; font-size: 14px; }
a { color: #0b3d91; }
@media (prefers-color-scheme: dark) {
  body { background: #121212; color: #f0f0f0; }
  a { color: #a8c7ff; }
}
</style>`;

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
    html: markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${subject}</title>
${STYLE}
</head>
<body>
<main>
<h1>Hello <bdi>${name}</bdi></h1>
${sections.map((section) => section.html)}
<p><a href="${siteUrl}">Read more and answer</a></p>
</main>
<footer>
<p>${why} <a href="${unsubscribeUrl}">Unsubscribe from these mails</a></p>
</footer>
</body>
</html>
`.source,
    text: [
      `Hello ${name},`,
      ...sections.map((section) => section.text),
      `Read more and answer: ${siteUrl}`,
      `-- \n${why}\nUnsubscribe from these mails: ${unsubscribeUrl}\n`,
    ].join('\n\n'),
  };
}
