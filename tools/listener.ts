import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ChatClient,
  ChatProblem,
  type ClientEvent,
  type ConversationEvent,
  type Payload,
  type components,
  createChatClient,
} from '../packages/chat-client/src/index.ts';
import { type Session, renew } from './rest.ts';
import { until } from './until.ts';

export type { ConversationEvent };

/** What the server answers to a message. */
export type Sent = Omit<
  Extract<components['schemas']['ClientEvents']['sendMessage']['ack'], { ok: true }>,
  'ok'
>;

export interface NewMessage {
  groupId: string;
  text: string;
  clientMsgId?: string;
  replyTo?: string;
}

/** Returns the text of a message that was sent or edited; null of what has none. */
export const textOf = ({ data }: ConversationEvent): string | null => ('text' in data ? data.text : null);

const OPEN_MS = 5_000;
/** Impatient, because nothing but this machine is between client and server. */
const RECONNECT_MS = [50, 500] as const;

/** A user whose client keeps everything that it is told, from the beginning of each group. */
export class Listener {
  /** All conversation events, in the order in which they were told. Those of a group that is reset are forgotten. */
  applied: ConversationEvent[] = [];
  /** The groups whose rooms the server has put this client into. */
  readonly rooms = new Set<string>();
  readonly chat: ChatClient;
  readonly #last = new Map<string, number>();

  constructor(session: Session) {
    let isFirst = true;
    this.chat = createChatClient({
      url: session.url,
      userId: session.userId,
      reconnectMs: RECONNECT_MS,
      async tokens() {
        // The session is the caller's too, so it has the latest tokens.
        if (!isFirst) Object.assign(session, await renew(session));
        isFirst = false;
        return session.accessToken;
      },
    });
    this.chat.on('joinRoom', ({ groupId }) => this.rooms.add(groupId));
    this.chat.on('leaveRoom', ({ groupId }) => this.rooms.delete(groupId));
    this.chat.events(
      (event) => {
        this.#last.set(event.groupId, event.seq);
        this.applied.push(event);
      },
      {
        after: () => 0,
        onReset: (groupId) => {
          this.#last.delete(groupId);
          this.applied = this.applied.filter((event) => event.groupId !== groupId);
        },
      },
    );
  }

  get isConnected(): boolean {
    return this.chat.connection.getSnapshot().status === 'open';
  }

  /**
   * Opens the connection, which then reconnects by itself until `close`. Throws when it is not open within
   * `withinMs`.
   */
  async connect(withinMs = 10_000): Promise<this> {
    this.chat.open();
    await this.chat.opened(AbortSignal.timeout(withinMs));
    return this;
  }

  close(): void {
    this.chat.close();
  }

  /** Returns the seq of the last event told of a group; 0 before the first. */
  seq(groupId: string): number {
    return this.#last.get(groupId) ?? 0;
  }

  /** Returns the events of one group, in the order in which they were told. */
  view(groupId: string): ConversationEvent[] {
    return this.applied.filter((event) => event.groupId === groupId);
  }

  /** Resolves once everything up to `seq` has been told. Throws when that takes longer than `withinMs`. */
  async reached(groupId: string, seq: number, withinMs = 10_000): Promise<void> {
    await until(() => this.seq(groupId) >= seq, `seq ${seq}`, withinMs);
  }

  /** Sends one socket event, once the connection is open, and resolves with its ack. Throws `ChatProblem`. */
  async ask<N extends ClientEvent>(event: N, payload: Payload<N>) {
    await this.chat.opened(AbortSignal.timeout(OPEN_MS));
    return this.chat.ask(event, payload);
  }

  /**
   * Sends a message, and repeats it until there is an answer or the time is over: then its outcome is unknown. The
   * outbox would never give up.
   */
  async send(message: NewMessage, withinMs = 60_000): Promise<Sent> {
    const named = { clientMsgId: randomUUID(), ...message };
    const deadline = Date.now() + withinMs;
    for (;;) {
      try {
        return await this.chat.ask('sendMessage', named);
      } catch (error) {
        const isFinal = error instanceof ChatProblem && !error.retryable;
        if (isFinal || Date.now() > deadline) throw error;
        await pause(100);
      }
    }
  }
}
