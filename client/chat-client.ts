import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Socket, io } from 'socket.io-client';
import { Refused, type Session, renew } from './rest-client.ts';
import { until } from '../tools/until.ts';

export interface Applied {
  groupId: string;
  seq: number;
  id: string;
  type: string;
  data: Record<string, unknown>;
}

export interface Sent {
  messageId: string;
  seq: number;
  occurredAt: string;
  duplicate: boolean;
  position: string;
}

export interface NewMessage {
  groupId: string;
  text: string;
  clientMsgId?: string;
  replyTo?: string;
}

interface Synced {
  epoch: string;
  groups: (
    | {
        groupId: string;
        events: Applied[];
        headSeq: number;
        /** The conversation begins here for this user. */
        firstSeq?: number;
        complete: boolean;
        reset?: never;
      }
    | { groupId: string; reset: true; headSeq: number }
  )[];
  /** Groups that this user is not, or no longer, a member of. */
  denied?: string[];
}

const CONVERSATION = ['messageSent', 'messageEdited', 'messageDeleted', 'reactionAdded', 'reactionRemoved'];
const ACK_TIMEOUT_MS = 5_000;
const SYNC_GROUPS = 100;
const RETRY_MS = 500;

/**
 * The reference client. It follows all the rules for clients, and so loses nothing when a connection fails.
 * Live events are a hint: a gap in `seq`, or a head above the last applied event, makes it call `sync`.
 */
export class ChatClient {
  /** All conversation events, in the order in which they were applied. Those of a group that is reset are forgotten. */
  applied: Applied[] = [];
  /** The groups whose rooms the server has put this client into. */
  readonly rooms = new Set<string>();
  readonly socket: Socket;
  readonly #session: Session;
  readonly #last = new Map<string, number>();
  readonly #behind = new Set<string>();
  /** Of the log: the seqs mean nothing in another one. */
  #epoch: string | undefined;
  #syncing = false;

  constructor(session: Session) {
    this.#session = session;
    this.socket = io(session.url, {
      transports: ['websocket'],
      auth: (give) => give({ token: session.accessToken }),
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
    });
    this.socket.on('connect', () => this.#catchUp(...this.#last.keys()));
    this.socket.on('joinRoom', ({ groupId, headSeq }: { groupId: string; headSeq: number }) => {
      this.rooms.add(groupId);
      this.#learnHead(groupId, headSeq);
    });
    this.socket.on('leaveRoom', ({ groupId }: { groupId: string }) => this.#forget(groupId));
    this.socket.on('heads', ({ groups }: { groups: Record<string, number> }) => {
      for (const [groupId, headSeq] of Object.entries(groups)) this.#learnHead(groupId, headSeq);
    });
    for (const name of CONVERSATION) this.socket.on(name, (envelope: Applied) => this.#hear(envelope));
    this.socket.on('sessionExpiring', () => void this.#renew());
    this.socket.on('connect_error', (error) => {
      const { data } = error as { data?: { code: string; retryable: boolean } };
      // The key of the token may have been withdrawn.
      if (data?.retryable || data?.code === 'TOKEN_INVALID') void this.#tryAgain();
    });
  }

  /**
   * Opens the connection, which then reconnects by itself until `close`. Throws when it is not open within
   * `withinMs`.
   */
  async connect(withinMs = 10_000): Promise<this> {
    const opened = new Promise<void>((resolve) => this.socket.once('connect', resolve));
    this.socket.connect();
    const late = pause(withinMs, 'late', { ref: false });
    if ((await Promise.race([opened, late])) === 'late') throw new Error(`not connected in ${withinMs} ms`);
    return this;
  }

  close(): void {
    this.socket.disconnect();
  }

  /** Returns the seq of the last event applied in a group; 0 before the first. */
  seq(groupId: string): number {
    return this.#last.get(groupId) ?? 0;
  }

  /** Returns the events of one group, in the order in which they were applied. */
  view(groupId: string): Applied[] {
    return this.applied.filter((event) => event.groupId === groupId);
  }

  /** Resolves once everything up to `seq` has been applied. Throws when that takes longer than `withinMs`. */
  async reached(groupId: string, seq: number, withinMs = 10_000): Promise<void> {
    await until(() => this.seq(groupId) >= seq, `seq ${seq}`, withinMs);
  }

  /**
   * Sends one socket event and resolves with its ack. Throws `Refused`, or an error when no ack came: then
   * the outcome is unknown.
   */
  async ask<T>(event: string, payload: unknown): Promise<T> {
    const answer = await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload);
    if (!answer.ok) throw new Refused(answer.error);
    return answer;
  }

  /**
   * Sends a message, and repeats it until there is an answer. The same `clientMsgId` makes all repetitions
   * the same message.
   */
  async send(message: NewMessage, withinMs = 60_000): Promise<Sent> {
    const named = { clientMsgId: randomUUID(), ...message };
    const deadline = Date.now() + withinMs;
    for (;;) {
      try {
        return await this.ask<Sent>('sendMessage', named);
      } catch (error) {
        const isFinal = error instanceof Refused && !error.problem.retryable;
        if (isFinal || Date.now() > deadline) throw error;
        await pause(100);
      }
    }
  }

  #hear({ groupId, seq, id, type, data }: Applied): void {
    const last = this.seq(groupId);
    if (seq <= last) return;
    if (seq > last + 1) return this.#catchUp(groupId);
    this.#last.set(groupId, seq);
    this.applied.push({ groupId, seq, id, type, data });
  }

  #learnHead(groupId: string, headSeq: number): void {
    if (!this.#last.has(groupId)) this.#last.set(groupId, 0);
    if (headSeq > this.seq(groupId)) this.#catchUp(groupId);
  }

  /** Starts a group anew, whose seqs are of another log. */
  #reset(groupId: string): void {
    this.#last.set(groupId, 0);
    this.applied = this.applied.filter((event) => event.groupId !== groupId);
    this.#behind.add(groupId);
  }

  #forget(groupId: string): void {
    this.rooms.delete(groupId);
    this.#behind.delete(groupId);
    this.#last.delete(groupId);
  }

  #catchUp(...groupIds: string[]): void {
    for (const groupId of groupIds) this.#behind.add(groupId);
    if (!this.#syncing && this.#behind.size > 0) void this.#sync();
  }

  /** Catches up with `sync`. A group that falls behind again meanwhile is asked for again. */
  async #sync(): Promise<void> {
    this.#syncing = true;
    while (this.#behind.size > 0 && this.socket.connected) {
      const asked = [...this.#behind].slice(0, SYNC_GROUPS);
      for (const groupId of asked) this.#behind.delete(groupId);
      const groups = asked.map((groupId) => ({ groupId, afterSeq: this.seq(groupId) }));
      const answer = await this.ask<Synced>('sync', { groups, epoch: this.#epoch }).catch(
        (error: unknown) => error as Error,
      );
      if (answer instanceof Error) {
        for (const groupId of asked) this.#behind.add(groupId);
        await pause(100);
        continue;
      }
      for (const groupId of answer.denied ?? []) this.#forget(groupId);
      const isRestored = this.#epoch !== undefined && this.#epoch !== answer.epoch;
      this.#epoch = answer.epoch;
      if (isRestored) {
        for (const groupId of [...this.#last.keys()]) this.#reset(groupId);
        continue;
      }
      for (const group of answer.groups) {
        if (group.reset) {
          this.#reset(group.groupId);
          continue;
        }
        const { groupId, firstSeq = 1 } = group;
        if (firstSeq > this.seq(groupId) + 1) this.#last.set(groupId, firstSeq - 1);
        for (const event of group.events) this.#hear(event);
        if (!group.complete) this.#behind.add(group.groupId);
      }
    }
    this.#syncing = false;
  }

  /** Connects again with fresh tokens after a temporary refusal, because a stock client does not. */
  async #tryAgain(): Promise<void> {
    await renew(this.#session).then(
      (renewed) => Object.assign(this.#session, renewed),
      () => pause(RETRY_MS),
    );
    this.socket.connect();
  }

  async #renew(): Promise<void> {
    Object.assign(this.#session, await renew(this.#session));
    await this.ask('refreshAuth', { token: this.#session.accessToken });
  }
}
