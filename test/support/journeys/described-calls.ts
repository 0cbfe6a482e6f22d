/** A JSON schema, as far as values are made for it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  example?: unknown;
}

interface Parameter {
  in: string;
  name: string;
  required?: boolean;
  schema: Schema;
}

/** An operation of an OpenAPI document. */
export interface Operation {
  name: string;
  method: string;
  path: string;
  /** True if anybody may call it without a token. */
  isPublic: boolean;
  parameters: Parameter[];
  body: { contentType: string; schema: Schema } | undefined;
}

/** The schemas that `$ref` names, by their last part. */
export type Schemas = Record<string, Schema>;

/** Values by the name of a parameter or a field. `anyId` is for ids of unknown names. */
export type Values = Readonly<Record<string, unknown>> & { anyId: string };

interface Described {
  operationId: string;
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
export interface OpenApi {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Schemas };
}

/** Returns every operation of the document. */
export const operationsOf = ({ paths }: OpenApi): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, parameters = [], requestBody }]) => {
      const [content] = Object.entries(requestBody?.content ?? {});
      return {
        name: operationId,
        method: method.toUpperCase(),
        path,
        isPublic: security?.length === 0,
        parameters,
        body: content && { contentType: content[0], schema: content[1].schema },
      };
    }),
  );

/** Returns a value of a schema: the given one of that name, the example, or one that the schema allows. */
export function valueOf(schema: Schema, name: string, values: Values, schemas: Schemas): unknown {
  if (schema.type === 'boolean') return true;
  if (name in values) return values[name];
  if (schema.$ref !== undefined)
    return valueOf(schemas[schema.$ref.split('/').at(-1)!]!, name, values, schemas);
  const [choice] = schema.oneOf ?? schema.anyOf ?? [];
  if (choice) return valueOf(choice, name, values, schemas);
  if (schema.properties) return objectOf(schema, values, schemas);
  if (schema.items) return [valueOf(schema.items, name.replace(/s$/, ''), values, schemas)];
  if (schema.format === 'uuid') return values.anyId;
  return schema.example ?? schema.const ?? schema.enum?.[0] ?? plainValue(schema);
}

/** Fills the fields that are required, have an example, or have a given value. */
function objectOf(
  { properties = {}, required = [], example }: Schema,
  values: Values,
  schemas: Schemas,
): Record<string, unknown> {
  const shown = (example ?? {}) as Record<string, unknown>;
  const isGiven = (name: string) => name in values || name.replace(/s$/, '') in values;
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => required.includes(name) || name in shown || isGiven(name))
      .map(([name, schema]) => {
        const isMade =
          schema.type === 'boolean' || schema.format === 'uuid' || schema.properties || schema.$ref;
        const isShown = name in shown && !isGiven(name) && !isMade;
        return [name, isShown ? shown[name] : valueOf(schema, name, values, schemas)];
      }),
  );
}

function plainValue({ type, format, minimum = 1 }: Schema): unknown {
  if (format === 'date-time') return new Date().toISOString();
  const [first] = [type].flat();
  if (first === 'integer' || first === 'number') return minimum;
  return first === 'null' ? null : 'x';
}

/**
 * Returns the addresses of a call: without what is optional, and with each optional parameter of the query alone. A list
 * in `values` has several values for a parameter of the query.
 */
export function addressesOf({ path, parameters }: Operation, values: Values, schemas: Schemas): string[] {
  const valuesOf = ({ name, schema }: Parameter) =>
    [valueOf(schema, name, values, schemas)]
      .flat()
      .flatMap((value) => (value === undefined ? [] : encodeURIComponent(value as string | number)));
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((each) => each.in === 'path' && each.name === name)!;
    return valuesOf(parameter)[0]!;
  });
  const query = parameters.filter((each) => each.in === 'query');
  const pairs = (parameter: Parameter) => valuesOf(parameter).map((value) => `${parameter.name}=${value}`);
  let needed = [''];
  for (const parameter of query.filter(({ required }) => required))
    needed = needed.flatMap((before) => pairs(parameter).map((pair) => `${before}&${pair}`));
  const optional = query.filter(({ required }) => !required).flatMap(pairs);
  const [first] = needed as [string];
  return [...needed, ...optional.map((may) => `${first}&${may}`)]
    .map((search) => search.replace(/^&/, ''))
    .map((search) => (search === '' ? place : `${place}?${search}`));
}
