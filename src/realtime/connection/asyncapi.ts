import { z } from 'zod';
import { Traceable, clientEvents, serverEvents } from './protocol.ts';

type Json = Record<string, unknown>;

const problemDocument: Json = {
  type: 'object',
  description: 'RFC 9457: the same object as over HTTP',
  required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    retryable: { type: 'boolean' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
};
const ref = (path: string) => ({ $ref: `#/${path}` });
const message = (name: string, payload: Json): Json => ({ name, title: name, payload });

function ackOf(schema: z.ZodType): Json {
  const answer = schemaOf(schema) as { properties?: Json; required?: string[] };
  const success = {
    ...answer,
    properties: { ok: { const: true }, ...answer.properties },
    required: ['ok', ...(answer.required ?? [])],
  };
  const failure = {
    type: 'object',
    properties: { ok: { const: false }, error: ref('components/schemas/Problem') },
    required: ['ok', 'error'],
  };
  return { oneOf: [success, failure] };
}

/** Returns the schema of a client's payload, with what each may have besides. */
function requestOf(schema: z.ZodType): Json {
  const request = schemaOf(schema);
  const { properties: more } = schemaOf(Traceable);
  return { ...request, properties: { ...(request['properties'] as Json), ...(more as Json) } };
}

/** Returns the socket's protocol as an AsyncAPI 3.0 document, generated from the schemas that check it. */
export function asyncApiDocument(): Json {
  const messages: Json = {};
  const operations: Json = {};
  for (const [name, { payload, ack }] of Object.entries(clientEvents)) {
    messages[`${name}.request`] = message(name, requestOf(payload));
    messages[`${name}.ack`] = message(`${name} (ack)`, ackOf(ack));
    operations[`receive.${name}`] = {
      action: 'receive',
      channel: ref('channels/socket'),
      messages: [ref(`channels/socket/messages/${name}.request`)],
      reply: {
        channel: ref('channels/socket'),
        messages: [ref(`channels/socket/messages/${name}.ack`)],
      },
    };
  }
  for (const [name, payload] of Object.entries(serverEvents)) {
    messages[name] = message(name, schemaOf(payload));
    operations[`send.${name}`] = {
      action: 'send',
      channel: ref('channels/socket'),
      messages: [ref(`channels/socket/messages/${name}`)],
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Chat over Socket.IO',
      version: '1.0.0',
      description:
        'Socket.IO 4, namespace `/`, path `/socket.io`, WebSocket transport. The handshake carries `auth: {token}`. ' +
        'Every event has one payload; an ack is optional.',
    },
    defaultContentType: 'application/json',
    channels: { socket: { address: '/socket.io', messages } },
    operations,
    components: { schemas: { Problem: problemDocument } },
  };
}
