import { randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { type Attacker, type Call, call, count, joined, rawSocket } from './hostile-client.ts';

/** The targets and the participants of the attacks. */
export interface Arena {
  url: string;
  /** The address of the attackers. */
  address: string;
  /** A company in thousands of groups; `frequentWord` is in every message there. */
  company: Attacker;
  /** A company that posts jobs. */
  poster: Attacker;
  frequentWord: string;
  /** Members of one large group, and the only ones connected. */
  crowd: Attacker[];
  crowdGroupId: string;
  /** Members of one group. */
  readers: Attacker[];
  readersGroupId: string;
  /** A user that has set its preferences many times, each time with many muted groups. */
  muter: Attacker;
  /** Its latest preferences. */
  preferences: object;
}

export type AttackName = keyof typeof attacks;

type Attack = (arena: Arena, over: AbortSignal) => Promise<void>;

/** Repeats an action in each of `lanes` until the attack is over. */
const repeatedly =
  (lanes: number, work: (arena: Arena, lane: number) => Promise<unknown>): Attack =>
  async (arena, over) => {
    const lane = async (index: number) => {
      while (!over.aborted) {
        await work(arena, index);
        // Immediate refusals must not starve the rest of this process.
        await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  };

const restOf =
  (method: string, path: (arena: Arena) => string, options: (arena: Arena) => Call) =>
  (arena: Arena): Promise<unknown> =>
    call(new URL(path(arena), arena.url), method, options(arena));

/** A local header that defers the sizes to a data descriptor, followed by descriptor signatures only. */
export function zipOfDescriptors(size: number): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(0x08, 6);
  return Buffer.concat([header, Buffer.alloc(size - header.length, Buffer.from('PK\x07\x08', 'latin1'))]);
}

/** Bytes that all look like the start of markup. */
export const imageOfBrackets = (size: number): Buffer => {
  const bytes = Buffer.alloc(size, '<');
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).copy(bytes);
  return bytes;
};

const FILE_BYTES = 8 * 1_048_576;

async function upload({ url, readers, readersGroupId }: Arena, index: number): Promise<void> {
  const attacker = readers[index % readers.length] as Attacker;
  const [contentType, bytes] =
    index % 2 === 0
      ? ['application/zip', zipOfDescriptors(FILE_BYTES)]
      : ['image/png', imageOfBrackets(FILE_BYTES)];
  const asked = await call<{ fileId?: string; upload?: { url: string; headers: OutgoingHttpHeaders } }>(
    new URL('/v1/files', url),
    'POST',
    { attacker, body: { name: `file-${index}`, contentType, size: bytes.length, groupId: readersGroupId } },
  );
  if (!asked.upload) return;
  // The server's URL has a name that does not resolve.
  const { pathname, search } = new URL(asked.upload.url);
  await call(new URL(pathname + search, url), 'PUT', { bytes, headers: asked.upload.headers });
  await call(new URL(`/v1/files/${asked.fileId}/complete`, url), 'POST', { attacker });
}

const SOCKETS_PER_READER = 16;
const MESSAGE_EVERY_MS = 500;
const WRONG_TOKEN = [
  Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt' })).toString('base64url'),
  Buffer.from(JSON.stringify({ sub: randomUUID(), exp: 4_000_000_000 })).toString('base64url'),
  Buffer.alloc(64, 7).toString('base64url'),
].join('.');

const APPLICATIONS_EACH_MS = 5;
const REFUSED_FRAMES = 200;

export const attacks = {
  /** Searches for a word that is in every message of a user with very many groups. */
  search: repeatedly(
    24,
    restOf(
      'GET',
      ({ frequentWord }) => `/v1/search/messages?q=${frequentWord}`,
      ({ company }) => ({ attacker: company }),
    ),
  ),
  /** Uploads twenty files that take long to inspect. */
  'hostile files': async (arena, over) => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => upload(arena, index)));
    await pause(60_000, undefined, { signal: over }).catch(() => undefined);
  },
  /** Presents tokens with a wrong signature on one WebSocket. */
  'wrong tokens': async ({ url }, over) => {
    while (!over.aborted) {
      const socket = await rawSocket(url).catch(() => undefined);
      if (!socket) {
        count('no connection');
        await pause(10);
        continue;
      }
      socket.on('error', () => undefined);
      while (!over.aborted && socket.readyState === WebSocket.OPEN) {
        for (let frame = 0; frame < 100; frame += 1) socket.send(`40{"token":"${WRONG_TOKEN}"}`);
        count('a hundred frames');
        await new Promise(setImmediate);
      }
      socket.terminate();
    }
  },
  /** Sets preferences to their current values. */
  'nothing to do': repeatedly(
    20,
    restOf(
      'PUT',
      () => '/v1/me/notification-preferences',
      ({ muter, preferences }) => ({ attacker: muter, body: preferences }),
    ),
  ),
  /** Edits one message endlessly. */
  edits: async (arena, over) => {
    const attacker = arena.readers[0] as Attacker;
    const messages = new URL(`/v1/groups/${arena.readersGroupId}/messages`, arena.url);
    const sent = { clientMsgId: randomUUID(), text: 'mine' };
    const { messageId } = await call<{ messageId: string }>(messages, 'POST', { attacker, body: sent });
    const path = new URL(`${messages.pathname}/${messageId}`, arena.url);
    const edit = () => call(path, 'PATCH', { attacker, body: { text: randomUUID() } });
    await repeatedly(8, edit)(arena, over);
  },
  /** Posts jobs. */
  jobs: repeatedly(
    8,
    restOf(
      'POST',
      () => '/v1/jobs',
      ({ poster }) => ({ attacker: poster, body: { title: 'One more', description: 'of very many' } }),
    ),
  ),
  /** Presents invented refresh tokens. */
  'refreshes without an account': repeatedly(
    16,
    restOf(
      'POST',
      () => '/v1/auth/refresh',
      () => ({ body: { refreshToken: Buffer.alloc(32, randomUUID()).toString('base64url') } }),
    ),
  ),
  /** Members with many sockets each, which mark two messages a second as read, and type. */
  receipts: async ({ url, readers, readersGroupId: groupId }, over) => {
    const sockets = await Promise.all(
      readers.flatMap((reader) =>
        Array.from({ length: SOCKETS_PER_READER }, () => joined(url, reader).catch(() => undefined)),
      ),
    );
    const messages = new URL(`/v1/groups/${groupId}/messages`, url);
    for (let seq = 1; !over.aborted; seq += 1) {
      const attacker = readers[seq % readers.length] as Attacker;
      await call(messages, 'POST', { attacker, body: { clientMsgId: randomUUID(), text: 'read this' } });
      for (const socket of sockets) {
        socket?.emit('markRead', { groupId, seq }, ({ ok }: { ok: boolean }) =>
          count(ok ? 'read' : 'refused'),
        );
        socket?.emit('typing', { groupId, isTyping: seq % 2 === 0 });
      }
      await pause(MESSAGE_EVERY_MS);
    }
    for (const socket of sockets) socket?.disconnect();
  },
  /** Sends events that are always refused. */
  'refused events': repeatedly(1, async ({ url, readers }) => {
    const socket = await joined(url, readers[1] as Attacker).catch(() => undefined);
    if (!socket) return pause(10).then(() => count('no connection'));
    while (socket.connected) {
      for (let frame = 0; frame < REFUSED_FRAMES; frame += 1) socket.emit('sendMessage', { groupId: frame });
      count('two hundred frames');
      await new Promise(setImmediate);
    }
  }),
  /** Submits two hundred applications a second to one job. */
  applications: async ({ url, poster, crowd }, over) => {
    const { jobId } = await call<{ jobId?: string }>(new URL('/v1/jobs', url), 'POST', {
      attacker: poster,
      body: { title: 'Wanted', description: 'By everybody' },
    });
    const applied: Promise<unknown>[] = [];
    for (const attacker of crowd) {
      if (over.aborted || jobId === undefined) break;
      applied.push(call(new URL(`/v1/jobs/${jobId}/applications`, url), 'POST', { attacker, body: {} }));
      await pause(APPLICATIONS_EACH_MS);
    }
    await Promise.all(applied);
  },
  /**
   * Sends a hundred messages to a large group that is offline. It comes last, since the notifications take
   * minutes.
   */
  'away group': async ({ url, crowd, crowdGroupId }, over) => {
    const attacker = crowd[Math.floor(Math.random() * crowd.length)] as Attacker;
    const path = new URL(`/v1/groups/${crowdGroupId}/messages`, url);
    for (let sent = 0; sent < 100 && !over.aborted; sent += 1)
      await call(path, 'POST', { attacker, body: { clientMsgId: randomUUID(), text: 'to everybody' } });
    await pause(60_000, undefined, { signal: over }).catch(() => undefined);
  },
} satisfies Record<string, Attack>;
