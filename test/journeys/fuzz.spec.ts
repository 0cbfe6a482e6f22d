import { randomUUID } from 'node:crypto';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type RawSocket, openRawSocket } from '../support/raw-socket.ts';
import { until } from '../../tools/until.ts';

/** `FUZZ=20` sends twenty times as much. */
const TIMES = Number(process.env['FUZZ'] ?? 1);
const FRAMES = 2_000 * TIMES;
const REQUESTS = 1_000 * TIMES;
const AT_ONCE = 8;

/** A random number generator with a fixed seed: every run uses the same numbers. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES = [
  '\u0000',
  '\ud800',
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  '-1',
  '1e999',
  'null',
  '__proto__',
  '%00',
  '../',
  '🏳️‍🌈',
  ' ',
];

/** Cuts out, doubles or replaces one to four parts of a text. */
function mutated(text: string, pick: (below: number) => number): string {
  let result = text;
  for (let changes = 1 + pick(4); changes > 0; changes -= 1) {
    const from = pick(result.length + 1);
    const to = Math.min(result.length, from + pick(12));
    const part = result.slice(from, to);
    const odd = PIECES[pick(PIECES.length)]!;
    const replacement = ['', part + part, odd, odd.repeat(1 + pick(50)), String.fromCharCode(pick(0x2_000))][
      pick(5)
    ]!;
    result = result.slice(0, from) + replacement + result.slice(to);
  }
  return result;
}

describe('a server under random input', () => {
  let app: TestApp;
  let person: Person;
  let groupId: string;
  beforeAll(async () => {
    app = await startApp();
    person = await app.register('company');
    const posted = await app.ask('POST', '/v1/jobs', {
      as: person,
      body: { title: 'A job', description: 'Of a fuzz' },
    });
    groupId = String(posted.body['groupId']);
  });
  afterAll(() => app.stop());
  const id = () => randomUUID();
  const faults = () =>
    app
      .lines()
      .filter((line) => JSON.stringify(line).includes('INTERNAL') || Number(Object(line).level) >= 50);

  test(
    `answers ${FRAMES} frames without an internal error`,
    async () => {
      const pick = random(1);
      const message = { groupId, clientMsgId: id(), text: 'Hi' };
      const events: [string, object][] = [
        ['sendMessage', message],
        ['editMessage', { groupId, messageId: id(), text: 'Hi' }],
        ['deleteMessage', { groupId, messageId: id() }],
        ['addReaction', { groupId, messageId: id(), emoji: '👍' }],
        ['removeReaction', { groupId, messageId: id(), emoji: '👍' }],
        ['markRead', { groupId, seq: 1 }],
        ['typing', { groupId, isTyping: true }],
        ['joinRoom', { groupId }],
        ['leaveRoom', { groupId }],
        ['sync', { groups: [{ groupId, afterSeq: 0 }] }],
        ['refreshAuth', { token: person.accessToken }],
      ];
      const heard: string[] = [];
      async function enter(): Promise<RawSocket> {
        const socket = await openRawSocket(app.url);
        socket.connect(person.accessToken);
        await until(() => socket.heard.length > 0 || socket.ended() !== undefined, 'an answer');
        return socket;
      }
      let socket = await enter();
      for (let count = 0; count < FRAMES; count += 1) {
        if (socket.ended() || socket.ws.readyState !== socket.ws.OPEN) {
          heard.push(...socket.heard);
          socket = await enter();
        }
        const frame = `42${count}${JSON.stringify(events[pick(events.length)])}`;
        socket.ws.send(pick(8) === 0 ? Buffer.from(mutated(frame, pick)) : mutated(frame, pick));
        if (count % 16 === 0) await new Promise(setImmediate);
      }
      heard.push(...socket.heard);
      socket.ws.terminate();
      const last = await enter();
      last.ws.send(
        `42["sendMessage",${JSON.stringify({ ...message, clientMsgId: id() })}]`.replace('42', '427'),
      );
      await until(
        () => last.heard.some((text) => text.startsWith('437[{"ok":true')),
        'the server to continue',
      );
      last.ws.terminate();
      expect(heard.filter((text) => text.includes('INTERNAL'))).toEqual([]);
      expect(faults()).toEqual([]);
    },
    60_000 * TIMES,
  );

  test(
    `answers ${REQUESTS} requests without an internal error`,
    async () => {
      const pick = random(2);
      const message = id();
      const calls: [string, string, unknown?][] = [
        ['GET', '/v1/groups?limit=10'],
        ['GET', `/v1/groups/${groupId}/messages?afterSeq=0&limit=50`],
        ['POST', `/v1/groups/${groupId}/messages`, { clientMsgId: id(), text: 'Hi' }],
        ['PATCH', `/v1/groups/${groupId}/messages/${message}`, { text: 'Hi' }],
        ['PUT', `/v1/groups/${groupId}/messages/${message}/reactions/%F0%9F%91%8D`],
        ['PUT', `/v1/groups/${groupId}/read`, { seq: 1 }],
        ['GET', '/v1/search/messages?q=hi&limit=10'],
        ['POST', '/v1/jobs', { title: 'A job', description: 'Of a fuzz', location: 'Here' }],
        ['GET', '/v1/jobs?q=job&status=open&limit=10'],
        ['POST', '/v1/auth/refresh', { refreshToken: 'x' }],
        ['POST', '/v1/files', { name: 'cv.pdf', contentType: 'application/pdf', size: 10, groupId }],
        ['PUT', '/v1/me/notification-preferences', { email: true, push: true, muted: [groupId] }],
        ['GET', '/v1/me'],
      ];
      const statuses: number[] = [];
      const shot = async () => {
        const [method, path, body] = calls[pick(calls.length)]!;
        const [what, payload] = [pick(3), JSON.stringify(body)];
        const target = what === 0 ? mutated(path, pick) : path;
        const text = what === 1 && payload !== undefined ? mutated(payload, pick) : payload;
        const odd =
          what === 2 ? { 'idempotency-key': mutated(id(), pick).replace(/[^\x20-\x7e]/g, '') || 'x' } : {};
        const asked = encodeURI(target.toWellFormed()).replace(/^[^/]/, '/');
        if (!URL.canParse(asked, app.url)) return;
        const url = new URL(asked, app.url);
        if (url.origin !== new URL(app.url).origin) return;
        const answer = await app.ask(method, url.href, {
          as: person,
          headers: odd,
          ...(text !== undefined && { payload: text }),
        });
        statuses.push(answer.status);
      };
      for (let count = 0; count < REQUESTS; count += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, shot));
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
      expect(statuses.length).toBeGreaterThan(REQUESTS * 0.9);
      expect(faults()).toEqual([]);
    },
    60_000 * TIMES,
  );
});
