/** Markup that needs no escaping. */
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
 * A template tag for HTML. Strings are escaped for text and quoted attributes; `Html` is inserted as it is.
 * If it were named `html`, the formatter would reformat the templates and add visible white space.
 */
export const markup = (parts: TemplateStringsArray, ...values: Value[]): Html => ({
  source: String.raw({ raw: parts }, ...values.map(sourceOf)),
});
