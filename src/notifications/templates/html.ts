/** Markup that is safe as it is. */
export interface Html {
  readonly source: string;
}

type Value = Html | string | number | readonly Html[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const isHtml = (value: Html | readonly Html[]): value is Html => 'source' in value;

function sourceOf(value: Value): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
  return isHtml(value) ? value.source : value.map(({ source }) => source).join('\n');
}

/**
 * A template of HTML: every string put in is escaped for text and quoted attributes, `Html` goes in as it is. By the
 * name of `html` the formatter would take it for its own, and add white space that shows.
 */
export const markup = (parts: TemplateStringsArray, ...values: Value[]): Html => ({
  source: String.raw({ raw: parts }, ...values.map(sourceOf)),
});
