import { WebSocket } from 'ws';
import { until } from '../../tools/until.ts';

/** A WebSocket after the Engine.IO handshake that can send arbitrary frames. */
export interface RawSocket {
  ws: WebSocket;
  /** The messages received after the handshake. */
  heard: string[];
  /** The close code and reason, once it is closed. */
  ended: () => { code: number; reason: string } | undefined;
  connect(token: unknown): void;
  /** Resolves with the first message from index `from` on. */
  answer(from?: number): Promise<string>;
}

/** Resolves after the handshake; rejects with the status when the upgrade is refused. */
export async function openRawSocket(url: string, options: object = {}): Promise<RawSocket> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, options);
  const heard: string[] = [];
  let ended: { code: number; reason: string } | undefined;
  const hello = Promise.withResolvers<void>();
  ws.on('error', (error) => hello.reject(error));
  ws.on('unexpected-response', (_request, { statusCode, headers }) =>
    hello.reject(Object.assign(new Error(`refused with ${statusCode}`), { statusCode, headers })),
  );
  ws.once('message', () => {
    ws.on('message', (data: Buffer) => heard.push(data.toString()));
    hello.resolve();
  });
  ws.on('close', (code, reason) => (ended = { code, reason: reason.toString() }));
  await hello.promise;
  return {
    ws,
    heard,
    ended: () => ended,
    connect: (token) => ws.send(`40${JSON.stringify({ token })}`),
    async answer(from = 0) {
      await until(() => heard.length > from, 'an answer');
      return heard[from]!;
    },
  };
}
