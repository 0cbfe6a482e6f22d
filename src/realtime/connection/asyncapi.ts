import { z } from 'zod';
import { ProblemBody } from '../../protocol/problem-body.ts';
import { problemCodes } from '../../protocol/problem.ts';
import { pushTexts, requestTexts } from './event-texts.ts';
import {
  type ClientEvent,
  type ServerEvent,
  Traceable,
  clientEvents,
  conversationEnvelopes,
  rosterEnvelopes,
  serverEvents,
  sharedSchemas,
} from './protocol.ts';

type Json = Record<string, unknown>;

const envelopes: Partial<Record<ServerEvent, z.ZodType>> = { ...conversationEnvelopes, ...rosterEnvelopes };
const problem = ProblemBody.extend({
  code: z.enum(problemCodes).describe('Stable: what to decide by'),
}).describe('RFC 9457: the same object as over HTTP');

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const requestName = (name: string) => `${capital(name)}Request`;
const answerName = (name: string) => `${capital(name)}Answer`;
const pushName = (name: ServerEvent) => capital(name) + (envelopes[name] ? 'Envelope' : 'Push');

const SCHEMAS = 'components/schemas';
const ref = (path: string) => ({ $ref: `#/${path}` });

/** Names the schemas that others refer to. */
function named(): z.core.$ZodRegistry<{ id: string }> {
  const registry = z.registry<{ id: string }>();
  const shared = {
    ...sharedSchemas,
    Problem: problem,
    Refusal: z.strictObject({ ok: z.literal(false), error: problem }),
  };
  for (const [id, schema] of Object.entries(shared)) registry.add(schema, { id });
  for (const [name, { payload, ack }] of Object.entries(clientEvents)) {
    registry.add(z.strictObject({ ok: z.literal(true), ...ack.shape }), { id: answerName(name) });
    // One schema may be the payload of several events, and has one name.
    registry.add(payload.clone(undefined, { parent: true }), { id: requestName(name) });
  }
  for (const [name, payload] of Object.entries(serverEvents))
    registry.add(payload, { id: pushName(name as ServerEvent) });
  return registry;
}

/** Returns the schemas by their names, with what each request may have besides. */
function schemas(): Record<string, Json> {
  const document = z.toJSONSchema(named(), { io: 'input', uri: (id) => `#/${SCHEMAS}/${id}` });
  // What has a name of its own already, as in the OpenAPI document.
  const text = JSON.stringify(document.schemas).replaceAll('__shared#/$defs/', '');
  const { __shared, ...found } = JSON.parse(text) as Record<string, Json>;
  const all = { ...found, ...(__shared?.['$defs'] as Record<string, Json> | undefined) };
  const { properties: more } = z.toJSONSchema(Traceable, { io: 'input' });
  for (const name of Object.keys(clientEvents).map(requestName))
    Object.assign(all[name]!, { properties: { ...(all[name]!['properties'] as Json), ...more } });
  for (const schema of Object.values(all)) {
    delete schema['$schema'];
    delete schema['$id'];
  }
  return all;
}

/** Returns the socket's protocol as an AsyncAPI 3.0 document, generated from the schemas that check it. */
export function asyncApiDocument(): Json {
  const messages: Json = {};
  const operations: Json = {};
  for (const name of Object.keys(clientEvents) as ClientEvent[]) {
    const { summary, description, answer } = requestTexts[name];
    messages[`${name}.request`] = {
      ...{ name, title: name, summary, description },
      payload: ref(`${SCHEMAS}/${requestName(name)}`),
    };
    messages[`${name}.ack`] = {
      ...{
        name: `${name} (ack)`,
        title: `${name} (ack)`,
        summary: `The answer to ${name}`,
        description: answer,
      },
      payload: { oneOf: [ref(`${SCHEMAS}/${answerName(name)}`), ref(`${SCHEMAS}/Refusal`)] },
    };
    operations[`receive.${name}`] = {
      action: 'receive',
      summary,
      channel: ref('channels/socket'),
      messages: [ref(`channels/socket/messages/${name}.request`)],
      reply: {
        channel: ref('channels/socket'),
        messages: [ref(`channels/socket/messages/${name}.ack`)],
      },
    };
  }
  for (const name of Object.keys(serverEvents) as ServerEvent[]) {
    const { summary, description } = pushTexts[name];
    messages[name] = {
      ...{ name, title: name, summary, description },
      payload: ref(`${SCHEMAS}/${pushName(name)}`),
    };
    operations[`send.${name}`] = {
      action: 'send',
      summary,
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
    components: { schemas: schemas() },
  };
}
