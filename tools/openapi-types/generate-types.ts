import openapiTS, { astToString } from 'openapi-typescript';

/**
 * Returns the TypeScript types of an OpenAPI document: `paths`, `components` and `operations`. A field with a
 * default is optional, as it is in requests.
 */
export const generateTypes = async (document: object): Promise<string> =>
  astToString(await openapiTS(JSON.stringify(document), { defaultNonNullable: false }));
