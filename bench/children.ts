import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order } from './attackers.ts';
import type { Arena, AttackName } from './attacks.ts';
import type { Job, Storm, Talk, Whisper } from './chat-clients.ts';
import type { Tally } from './hostile-client.ts';
import type { Member } from './member.ts';

const start = (file: string, execArgv: string[] = []) =>
  fork(join(import.meta.dirname, file), { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

export interface BareServer {
  url: string;
  pid: number;
  /** Returns the member with a token that this server understands. */
  admit: (member: Member) => Member;
  stop: () => Promise<void>;
}

/** Starts a bare server in a process of its own, by default that of Socket.IO. */
export async function startBareServer({
  file = 'bare-socketio-server.ts',
  execArgv,
}: { file?: string; execArgv?: string[] } = {}): Promise<BareServer> {
  const child = start(file, execArgv);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    ...{ url, pid: child.pid ?? 0, stop: () => end(child) },
    admit: ({ userId, groupId }) => ({ userId, groupId, token: JSON.stringify({ userId, groupId }) }),
  };
}

export interface Clients {
  connect: (url: string, members: Member[]) => Promise<void>;
  /** Sends at the highest rate that the server allows, or at `offered` messages a second. */
  talk: (milliseconds: number, offered?: number) => Promise<Talk>;
  whisper: (messages: number) => Promise<Whisper>;
  /** All connections end, and come back together once the server has seen them end. With `syncs` each asks what it missed. */
  storm: (syncs: boolean) => Promise<Storm>;
  stop: () => Promise<void>;
}

/**
 * Sends an order to a child and resolves with its answer. Rejects when the child reports an error or dies.
 */
async function ask<T>(child: ChildProcess, order: Job | Order): Promise<T> {
  const over = new AbortController();
  const told = once(child, 'message', over).then(([message]) => message as { answer?: T; error?: string });
  const died = once(child, 'exit', over).then(([code]) => ({ error: `the clients stopped with ${code}` }));
  died.catch(() => undefined);
  child.send(order);
  const message: { answer?: T; error?: string } = await Promise.race([told, died]);
  over.abort();
  if (message.error !== undefined) throw new Error(message.error);
  return message.answer as T;
}

export interface Attackers {
  /** Begins an attack, which lasts until `cease`. */
  attack: (name: AttackName, arena: Arena) => Promise<void>;
  /** Ends the attack. Resolves with the count of each answer. */
  cease: () => Promise<Tally>;
  stop: () => Promise<void>;
}

/** Starts the hostile clients in a process of their own. */
export function startAttackers(): Attackers {
  const child = start('attackers.ts');
  return {
    attack: (name, arena) => ask(child, { do: 'attack', name, arena }),
    cease: () => ask(child, { do: 'stop' }),
    stop: () => end(child),
  };
}

/** Starts the client program in a process of its own. */
export function startClients(): Clients {
  const child = start('chat-clients.ts');
  return {
    connect: (url, members) => ask(child, { do: 'connect', url, members }),
    talk: (milliseconds, offered) => ask(child, { do: 'talk', milliseconds, offered }),
    whisper: (messages) => ask(child, { do: 'whisper', messages }),
    storm: (syncs) => ask(child, { do: 'storm', syncs }),
    stop: () => end(child),
  };
}
