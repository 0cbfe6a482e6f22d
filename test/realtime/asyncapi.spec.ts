import { asyncApiDocument } from '../../src/realtime/connection/asyncapi.ts';
import { clientEvents, serverEvents } from '../../src/realtime/connection/protocol.ts';

interface Document {
  asyncapi: string;
  operations: Record<string, { reply: { messages: unknown[] } }>;
  channels: {
    socket: { messages: Record<string, { payload: { properties: Record<string, { maxItems?: number }> } }> };
  };
}
const document = asyncApiDocument() as unknown as Document;

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
    const { payload } = document.channels.socket.messages['sendMessage.request']!;
    expect(payload).toMatchObject({ additionalProperties: false, required: ['groupId', 'clientMsgId'] });
    expect(payload.properties['traceparent']).toMatchObject({
      anyOf: [{ type: 'string' }, { type: 'null' }],
    });
    expect(payload.properties['fileIds']).toMatchObject({ anyOf: [{ maxItems: 10 }, { type: 'null' }] });
  });
});
