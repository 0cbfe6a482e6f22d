import type { Session } from '../../../tools/rest.ts';
import { until } from '../../../tools/until.ts';
import { type RawSocket, openRawSocket } from '../raw-socket.ts';
import type { Canaries } from './canaries.ts';

export interface Heard {
  status: number;
  text: string;
  /** The parsed text, if it is JSON. */
  body: Record<string, unknown>;
}

interface Asking {
  body?: unknown;
  headers?: Record<string, string>;
  /** False for a call that anybody may make. */
  isSigned?: boolean;
}

const ANSWER_MS = 10_000;
const CALL_LENGTH = 120;
const shortened = (text: string) => (text.length > CALL_LENGTH ? `${text.slice(0, CALL_LENGTH)}…` : text);

/** Returns the text as it is, and what it says as JSON. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A client that reports every byte that the server sends to it. */
export interface Watched {
  /** Makes a REST call of this server. */
  ask(method: string, path: string, asking?: Asking): Promise<Heard>;
  /** Follows a link that needs no token. */
  follow(url: string, channel: string): Promise<void>;
  /** Opens a socket, which is in the rooms of its user soon afterwards. */
  connect(): Promise<void>;
  isConnected(): boolean;
  /** Sends a socket event. Resolves with its ack. */
  emit(event: string, payload: unknown): Promise<Record<string, unknown>>;
  /** Resolves once a frame with that text has arrived. */
  hears(text: string): Promise<void>;
  close(): void;
}

/** Watches what reaches the owner of a session. */
export function watch(name: string, session: Session, { record }: Pick<Canaries, 'record'>): Watched {
  let socket: RawSocket | undefined;
  let frames = '';
  let lastAck = 0;
  /** Events that wait for their acks. */
  const waiting = new Map<number, { asked: string; answer: (ack: Record<string, unknown>) => void }>();

  function onFrame(frame: string): void {
    if (frame === '2') return socket?.ws.send('3');
    const [, id, ack] = /^43(\d+)(\[.*)$/s.exec(frame) ?? [];
    const asked = waiting.get(Number(id));
    if (ack !== undefined && asked) {
      waiting.delete(Number(id));
      record(name, 'a socket ack', `the ack of ${shortened(asked.asked)}`, frame, asked.asked);
      return asked.answer((JSON.parse(ack) as [Record<string, unknown>])[0]);
    }
    frames += frame;
    record(name, 'a socket push', `the push ${/^42\["(\w+)/.exec(frame)?.[1] ?? frame.slice(0, 20)}`, frame);
  }

  return {
    async ask(method, path, { body, headers, isSigned = true } = {}) {
      const isBytes = body instanceof Uint8Array;
      const sent = body === undefined || isBytes ? undefined : JSON.stringify(body);
      const response = await fetch(new URL(path, session.url), {
        method,
        redirect: 'manual',
        headers: {
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...(isSigned && { authorization: `Bearer ${session.accessToken}` }),
          ...headers,
        },
        ...(body !== undefined && { body: isBytes ? Uint8Array.from(body) : sent! }),
      });
      const text = await response.text();
      const heard = { status: response.status, text, body: parsed(text) };
      const call = shortened(`${method} ${path} ${sent ?? ''}`);
      // A problem names the call that was refused.
      const isEcho = heard.body['instance'] === path;
      const told = isEcho ? JSON.stringify({ ...heard.body, instance: undefined }) : text;
      const fields = [...response.headers].flat().join('\n');
      const said = `${path} ${sent ?? ''} ${JSON.stringify(headers ?? {})}`;
      record(name, 'a REST answer', `${call}→ ${response.status}`, `${fields}\n${told}`, said);
      return heard;
    },

    async follow(url, channel) {
      const response = await fetch(url);
      const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1');
      const fields = [...response.headers].flat().join('\n');
      record(name, channel, new URL(url).pathname, `${fields}\n${bytes}`, url);
      if (!response.ok) throw new Error(`${channel} at ${url}: ${response.status}`);
    },

    async connect() {
      const opened = await openRawSocket(session.url);
      socket = opened;
      opened.ws.on('message', (data: Buffer) => onFrame(data.toString()));
      opened.connect(session.accessToken);
      await until(() => opened.heard.some((frame) => frame.startsWith('40')), `${name} to be connected`);
    },

    isConnected: () => socket !== undefined && socket.ended() === undefined,

    async emit(event, payload) {
      lastAck += 1;
      const asked = `${event} ${JSON.stringify(payload)}`;
      const ack = Promise.withResolvers<Record<string, unknown>>();
      waiting.set(lastAck, { asked, answer: ack.resolve });
      socket!.ws.send(`42${lastAck}${JSON.stringify([event, payload])}`);
      const late = setTimeout(() => ack.reject(new Error(`${name} got no ack of ${asked}`)), ANSWER_MS);
      return ack.promise.finally(() => clearTimeout(late));
    },

    hears: (text) => until(() => frames.includes(text), `${name} to hear ${text}`),

    close: () => socket?.ws.close(),
  };
}
