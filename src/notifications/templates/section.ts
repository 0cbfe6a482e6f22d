import { type Html, markup } from './html.ts';
import { paragraphs, quoted } from './wording.ts';

/** What a letter says of one kind of news. */
export interface Section {
  /** What the letter's subject is when this is the most important of its news; one line. */
  subject: string;
  html: Html;
  text: string;
}

/** What somebody wrote, as a quotation in markup. */
export const quotation = (text: string): Html =>
  markup`<blockquote dir="auto">${paragraphs(text)}</blockquote>`;

/** The same in plain text. */
export const plainQuotation = (text: string): string => quoted(paragraphs(text));
