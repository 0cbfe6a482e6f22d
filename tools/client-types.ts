import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateTypes } from './openapi-types/generate-types.ts';
import { startServer } from './server-process.ts';

/** Where the client package keeps the types of the protocol. */
export const CLIENT_TYPES = join(import.meta.dirname, '../packages/chat-client/src/protocol.ts');

type Schema = Record<string, unknown>;
interface OpenApi {
  paths: Record<string, unknown>;
  components: { schemas: Record<string, Schema> };
}
interface AsyncApi {
  channels: { socket: { messages: Record<string, { payload: Schema }> } };
  components: { schemas: Record<string, Schema> };
}

const objectOf = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

/** What the client makes of a call: it sets the headers itself, and turns every refusal into one kind of error. */
function asCalled(paths: OpenApi['paths']): OpenApi['paths'] {
  const isHeader = (parameter: unknown) => (parameter as { in?: string }).in === 'header';
  return JSON.parse(JSON.stringify(paths), (key, value: unknown) => {
    if (key === 'parameters' && Array.isArray(value)) return value.filter((each) => !isHeader(each));
    if (key === 'responses')
      return Object.fromEntries(Object.entries(value as Schema).filter(([status]) => status.startsWith('2')));
    return key === 'headers' ? undefined : value;
  }) as OpenApi['paths'];
}

const HEAD = `// Written by \`npm run client-types\` from /openapi.json and /asyncapi.json.\n\n`;

/**
 * Returns the types of both documents as one module: `paths` and `components` of REST, and among the components
 * `ClientEvents` and `ServerEvents`, with the payloads and acks of the socket by the names of the events.
 */
export async function clientTypes(rest: OpenApi, socket: AsyncApi): Promise<string> {
  const { messages } = socket.channels.socket;
  const payloadOf = (name: string) => messages[name]!.payload;
  const named = (ending: string) =>
    Object.keys(messages).flatMap((name) => (name.endsWith(ending) ? name.slice(0, -ending.length) : []));
  const clientEvents = named('.request').map((name) => [
    name,
    objectOf({ payload: payloadOf(`${name}.request`), ack: payloadOf(`${name}.ack`) }),
  ]);
  const serverEvents = Object.keys(messages)
    .filter((name) => !name.includes('.'))
    .map((name) => [name, payloadOf(name)]);
  const events = {
    ClientEvents: objectOf(Object.fromEntries(clientEvents)),
    ServerEvents: objectOf(Object.fromEntries(serverEvents)),
  };
  // Both have `Problem`; that of the socket lists the codes.
  const schemas = { ...rest.components.schemas, ...socket.components.schemas, ...events };
  const calls = Object.entries(rest.paths).filter(([path]) => path.startsWith('/v1/'));
  const paths = asCalled(Object.fromEntries(calls));
  const types = await generateTypes({ ...rest, paths, components: { schemas } });
  return HEAD + types.replaceAll(/^export type (?:webhooks|\$defs) = .*\n/gm, '');
}

if (import.meta.main) {
  const server = await startServer();
  try {
    const read = async (path: string) => (await fetch(new URL(path, server.url))).json();
    const types = await clientTypes(
      (await read('/openapi.json')) as OpenApi,
      (await read('/asyncapi.json')) as AsyncApi,
    );
    await writeFile(CLIENT_TYPES, types);
  } finally {
    await server.killTree();
  }
}
