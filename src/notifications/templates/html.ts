/** Markup that is safe as it is. */
export interface Html {
  readonly markup: string;
}

type Value = Html | string | number | readonly Html[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const isHtml = (value: Html | readonly Html[]): value is Html => 'markup' in value;

function markupOf(value: Value): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
  return isHtml(value) ? value.markup : value.map(({ markup }) => markup).join('\n');
}

/** A template of markup: every string put in is escaped for text and quoted attributes, `Html` goes in as it is. */
export const html = (parts: TemplateStringsArray, ...values: Value[]): Html => ({
  markup: String.raw({ raw: parts }, ...values.map(markupOf)),
});
