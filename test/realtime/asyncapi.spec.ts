import { ProblemBody } from '../../src/protocol/problem-body.ts';
import { problemCodes } from '../../src/protocol/problem.ts';
import { asyncApiDocument } from '../../src/realtime/connection/asyncapi.ts';
import { clientEvents, serverEvents } from '../../src/realtime/connection/protocol.ts';

interface Message {
  summary: string;
  description: string;
  payload: { $ref?: string; oneOf?: { $ref: string }[] };
}
interface Schema {
  properties: Record<string, { maxItems?: number; enum?: string[]; $ref?: string }>;
}
interface Document {
  asyncapi: string;
  operations: Record<string, { reply: { messages: unknown[] } }>;
  channels: { socket: { messages: Record<string, Message> } };
  components: { schemas: Record<string, Schema> };
}
const document = asyncApiDocument() as unknown as Document;
const { messages } = document.channels.socket;
const { schemas } = document.components;

describe('the AsyncAPI document', () => {
  test('names every event of both directions, with its ack', () => {
    expect(document.asyncapi).toBe('3.0.0');
    expect(Object.keys(document.operations)).toEqual([
      ...Object.keys(clientEvents).map((name) => `receive.${name}`),
      ...Object.keys(serverEvents).map((name) => `send.${name}`),
    ]);
    for (const name of Object.keys(clientEvents))
      expect(document.operations[`receive.${name}`]!.reply.messages).toHaveLength(1);
  });

  test('resolves every reference', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
    expect(refs.length).toBeGreaterThan(30);
    for (const path of refs) {
      const target = path.split('/').reduce<unknown>((node, part) => Object(node)[part], document);
      expect([path, typeof target]).toEqual([path, 'object']);
    }
  });

  test('lists the required properties of payloads and allows no others', () => {
    const payload = schemas['SendMessageRequest']!;
    expect(payload).toMatchObject({ additionalProperties: false, required: ['groupId', 'clientMsgId'] });
    expect(payload.properties['traceparent']).toMatchObject({
      anyOf: [{ type: 'string' }, { type: 'null' }],
    });
    expect(payload.properties['fileIds']).toMatchObject({ anyOf: [{ maxItems: 10 }, { type: 'null' }] });
  });

  test('says of every message when it comes, and what to do then', () => {
    for (const [name, { summary, description }] of Object.entries(messages))
      expect([name, summary, description]).toEqual([
        name,
        expect.stringMatching(/^[A-Z].{8,}$/),
        expect.stringMatching(/^.{15,}\.$/),
      ]);
  });

  test('names the schema of every payload, and describes each envelope once', () => {
    const named = /^#\/components\/schemas\/\w+$/;
    for (const { payload } of Object.values(messages))
      for (const ref of payload.oneOf ?? [payload])
        expect(ref).toEqual({ $ref: expect.stringMatching(named) });
    const text = JSON.stringify(document);
    for (const type of ['MessageSent', 'MessageEdited', 'ReactionAdded', 'MemberJoined', 'GroupClosed'])
      expect(text.split(`"const":"${type}"`)).toHaveLength(2);
    expect(schemas['CaughtUpGroup']!.properties['events']).toMatchObject({
      items: { $ref: '#/components/schemas/ConversationEnvelope' },
    });
    expect(text).not.toMatch(/\$defs|"\$id"|"\$schema"|__shared/);
  });

  test('has the problem of the OpenAPI document, with its codes', () => {
    const { properties } = schemas['Problem']!;
    expect(Object.keys(properties)).toEqual(Object.keys(ProblemBody.shape));
    expect(properties['code']!.enum).toEqual(problemCodes);
    expect(messages['sync.ack']!.payload.oneOf).toEqual([
      { $ref: '#/components/schemas/SyncAnswer' },
      { $ref: '#/components/schemas/Refusal' },
    ]);
  });
});
