import { type Html, markup } from './html.ts';

export interface Letter {
  /** One line. */
  subject: string;
  html: string;
  /** The same content as `html`. */
  text: string;
}

/** Colours with a contrast of at least 7 : 1, light and dark. Nothing is loaded from a server. */
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

/** Returns the whole document of a letter. */
export const frame = ({ subject, main, footer }: { subject: string; main: Html; footer: Html }): string =>
  markup`<!doctype html>
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
${main}
</main>
<footer>
${footer}
</footer>
</body>
</html>
`.source;
