import { type Html, markup } from './html.ts';
import { paragraphs, quoted } from './wording.ts';

/** The part of a letter about one kind of news. */
export interface Section {
  /** The subject of the letter if this is its most important news; one line. */
  subject: string;
  html: Html;
  text: string;
}

/** Quotes text of a user in markup. */
export const quotation = (text: string): Html =>
  markup`<blockquote dir="auto">${paragraphs(text)}</blockquote>`;

/** Quotes text of a user in plain text. */
export const plainQuotation = (text: string): string => quoted(paragraphs(text));
