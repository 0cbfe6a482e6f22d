import { socketPage } from '../../src/http/socket-page.ts';
import { asyncApiDocument } from '../../src/realtime/connection/asyncapi.ts';
import { clientEvents, serverEvents } from '../../src/realtime/connection/protocol.ts';
import { httpStage } from '../support/stages/http-stage.ts';

const page = socketPage(asyncApiDocument());
const sectionOf = (name: string) => page.split(`<h3 id="${name}">`)[1]?.split('</section>', 1)[0] ?? '';

describe('the page of the socket', () => {
  test('shows every event with its payload, and those of clients with their ack', () => {
    for (const name of Object.keys(clientEvents))
      expect([name, sectionOf(name).match(/<h4>\w+/g)]).toEqual([name, ['<h4>Payload', '<h4>Ack']]);
    const names = Object.keys(serverEvents).filter((name) => !Object.hasOwn(clientEvents, name));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names)
      expect([name, sectionOf(name).match(/<h4>\w+/g)]).toEqual([name, ['<h4>Payload']]);
  });

  test('writes payloads as types', () => {
    const section = sectionOf('sendMessage');
    expect(section).toMatch(/groupId: \w+\n/);
    expect(section).toMatch(/fileIds\?: \w+\[\]/);
    expect(section).toContain('text?: string 1..4000 | null');
    expect(section).toContain('duplicate: boolean');
    expect(section).toContain('error: Problem');
    expect(page).toContain('<section id="Problem">');
  });

  test('escapes descriptions', () => {
    const payload = { type: 'object', properties: { a: { type: 'string', description: '<b>' } } };
    const shown = socketPage({
      info: { title: 'A & B', description: '<script>' },
      channels: { 'a/b': { messages: { hello: { $ref: '#/components/messages/hello' } } } },
      components: { messages: { hello: { name: 'hello', payload } } },
      operations: {
        hello: { action: 'send', summary: '<i>', messages: [{ $ref: '#/channels/a~1b/messages/hello' }] },
      },
    });
    expect(shown).toContain('A &amp; B');
    expect(shown).toContain('a?: string  // &lt;b&gt;');
    expect(shown).toContain('<p>&lt;i&gt;</p>');
    expect(shown).not.toContain('<script');
  });

  test('is served without scripts, under a strict policy', async () => {
    const stage = await httpStage({ asyncapi: asyncApiDocument() });
    const answer = await stage.ask('GET', '/docs/socket');
    await stage.close();
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.text).toBe(page);
    expect(page).not.toMatch(/<script|<link|src=|https?:/);
  });
});
