import { type Html, markup } from '../notifications/templates/html.ts';

/** The parts of JSON Schema that the schemas of the socket use. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  format?: string;
  description?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}
interface Ref {
  $ref: string;
}
interface Message {
  name: string;
  summary?: string;
  description?: string;
  payload: Schema;
}
interface Operation {
  action: 'receive' | 'send';
  summary?: string;
  messages: Ref[];
  reply?: { messages: Ref[] };
}
/** The parts of the AsyncAPI document that the page shows. */
interface Document {
  info: { title: string; description: string };
  operations: Record<string, Operation>;
  components?: { schemas?: Record<string, Schema> };
}

const lastOf = ({ $ref }: Ref) => $ref.split('/').at(-1)!;

/** Writes a schema as a type, its descriptions as comments. */
function typeOf(schema: Schema, indent = ''): string {
  const { $ref, oneOf, anyOf = oneOf, allOf, type, properties, items, additionalProperties } = schema;
  if ($ref !== undefined) return lastOf({ $ref });
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (anyOf) return anyOf.map((each) => typeOf(each, indent)).join(' | ');
  if (allOf) return allOf.map((each) => typeOf(each, indent)).join(' & ');
  if (Array.isArray(type)) return type.map((each) => typeOf({ ...schema, type: each }, indent)).join(' | ');
  if (type === 'array') {
    const item = typeOf(items ?? {}, indent);
    return `${item.includes(' | ') ? `(${item})` : item}[]${rangeOf(schema.minItems, schema.maxItems)}`;
  }
  if (properties) return fieldsOf({ ...schema, properties }, indent);
  if (type === 'object')
    return typeof additionalProperties === 'object'
      ? `{ [name]: ${typeOf(additionalProperties, indent)} }`
      : 'object';
  const { format, minLength, maxLength } = schema;
  return `${format ?? type ?? 'anything'}${rangeOf(minLength, maxLength)}`;
}

function fieldsOf(
  { properties, required = [] }: Schema & Pick<Required<Schema>, 'properties'>,
  indent: string,
) {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, field]) => {
    const comment = field.description === undefined ? '' : `  // ${field.description}`;
    return `${inner}${name}${required.includes(name) ? '' : '?'}: ${typeOf(field, inner)}${comment}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
}

function rangeOf(least?: number, most?: number): string {
  if (most === undefined || most >= Number.MAX_SAFE_INTEGER) return '';
  return ` ${least ?? 0}..${most}`;
}

/** Resolves a reference within the document (RFC 6901), which may lead to another one. */
function resolve<T extends object>(document: object, { $ref }: Ref): T {
  const names = $ref
    .slice(2)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const found = names.reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], document) as
    T | Ref;
  return '$ref' in found ? resolve(document, found) : found;
}

const STYLE: Html = {
  source: `
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
      pre { background: #8881; border-radius: 0.3rem; overflow-x: auto; padding: 0.7rem }
      ul { columns: 14rem; padding: 0 1rem }
      h2 { border-top: 1px solid #8886; margin-top: 3rem; padding-top: 1rem }`,
};

/** Returns a page without scripts that shows each event of the socket, with its payload and its ack. */
export function socketPage(asyncapi: object): string {
  const { info, operations, components } = asyncapi as Document;
  const messageOf = (ref: Ref) => resolve<Message>(asyncapi, ref);
  const about = (text = '') => (text === '' ? markup`` : markup`<p>${text}</p>`);
  /** Writes a schema out, and the alternatives of which it may be one, where they have names. */
  const written = (schema: Schema) =>
    (schema.oneOf ?? [schema])
      .map((each) => typeOf(each.$ref === undefined ? each : resolve(asyncapi, { $ref: each.$ref })))
      .join(' | ');
  const type = (title: string, schema: Schema, description = schema.description) =>
    markup`<h4>${title}</h4>${about(description)}<pre>${written(schema)}</pre>`;

  const eventOf = ({ summary, messages, reply }: Operation) =>
    messages.map(messageOf).map((event) => ({
      name: event.name,
      content: markup`<section>
  <h3 id="${event.name}">${event.name}</h3>
  ${about(summary ?? event.summary)}
  ${about(event.description)}
  ${type('Payload', event.payload)}
  ${(reply?.messages ?? []).map(messageOf).map((ack) => type('Ack', ack.payload, ack.description))}
</section>`,
    }));
  const eventsThat = (action: Operation['action']) =>
    Object.values(operations)
      .filter((each) => each.action === action)
      .flatMap(eventOf);
  const part = (title: string, entries: { name: string; content: Html }[]) => markup`<h2>${title}</h2>
<ul>${entries.map(({ name }) => markup`<li><a href="#${name}">${name}</a></li>`)}</ul>
${entries.map(({ content }) => content)}`;
  const schemas = Object.entries(components?.schemas ?? {}).map(([name, schema]) => ({
    name,
    content: markup`<section id="${name}">${type(name, schema)}</section>`,
  }));

  return markup`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${info.title}</title>
    <style>${STYLE}
    </style>
  </head>
  <body>
    <h1>${info.title}</h1>
    <p>${info.description}</p>
    <p><a href="../asyncapi.json">The same as AsyncAPI</a> · <a href="./">REST</a></p>
    ${part('From clients', eventsThat('receive'))}
    ${part('From the server', eventsThat('send'))}
    ${part('Schemas', schemas)}
  </body>
</html>
`.source;
}
