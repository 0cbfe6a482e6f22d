import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Listener, type Sent } from '../../../tools/listener.ts';
import type { History, ReadBack, RestHistory, Send } from '../language/history-checker.ts';
import { ChatProblem, type Session, call } from '../../../tools/rest.ts';
import { until } from '../../../tools/until.ts';

/** One of four messages is abandoned after the first try, so its outcome stays unknown. */
const GIVES_UP = 0.25;
const OVER_REST = 0.2;
const READS_BACK = 0.1;
const SHOWN_WITHIN_MS = 10_000;

/** A member who sends messages continuously, and records the calls and their answers. */
export class Talker {
  readonly client: Listener;
  readonly sends: Send[] = [];
  readonly reads: ReadBack[] = [];
  readonly refusals: string[] = [];
  readonly #session: Session;
  readonly #groups: string[];
  readonly #restAfterMs: number;

  /** `restAfterMs` is the average pause between messages. */
  constructor(session: Session, groups: string[], restAfterMs = 15) {
    this.#session = session;
    this.#groups = groups;
    this.#restAfterMs = restAfterMs;
    this.client = new Listener(session);
  }

  get userId(): string {
    return this.#session.userId;
  }

  async talkUntil(isOver: () => boolean): Promise<void> {
    for (let count = 0; !isOver(); count += 1) {
      const groupId = this.#groups[count % this.#groups.length]!;
      const text = `message ${this.sends.length} from ${this.#session.userId}`;
      const send: Send = {
        ...{ groupId, senderId: this.#session.userId, clientMsgId: randomUUID(), text },
        outcome: 'unknown',
      };
      this.sends.push(send);
      await this.#deliver(send, isOver);
      await pause(this.#restAfterMs * (0.5 + Math.random()));
    }
  }

  async #deliver(send: Send, isOver: () => boolean): Promise<void> {
    const overRest = Math.random() < OVER_REST;
    const { groupId, clientMsgId, text } = send;
    const patienceMs = Math.random() < GIVES_UP ? 0 : 60_000;
    try {
      const { seq, messageId, position } = overRest
        ? await this.#sendOverRest(send, patienceMs)
        : await this.client.send({ groupId, clientMsgId, text }, patienceMs);
      Object.assign(send, { outcome: 'ok', seq, messageId });
      if (Math.random() < READS_BACK && !isOver()) await this.#readBack(groupId, seq, position);
    } catch (error) {
      if (!(error instanceof ChatProblem) || error.retryable) return;
      send.outcome = 'refused';
      this.refusals.push(error.message);
    }
  }

  async #sendOverRest({ groupId, clientMsgId, text }: Send, patienceMs: number): Promise<Sent> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        const { url, accessToken: token } = this.#session;
        return await call<Sent>(url, 'POST', `/v1/groups/${groupId}/messages`, {
          token,
          body: { clientMsgId, text },
        });
      } catch (error) {
        const isFinal = error instanceof ChatProblem && !error.retryable;
        if (isFinal || Date.now() > deadline) throw error;
        await pause(100);
      }
    }
  }

  async #readBack(groupId: string, seq: number, position: string): Promise<void> {
    const { url, accessToken: token } = this.#session;
    const path = `/v1/groups/${groupId}/messages?afterSeq=${seq - 1}&limit=1`;
    const shown = await call<{ data: { seq: number }[] }>(url, 'GET', path, {
      token,
      headers: { 'x-min-position': position },
    }).then(
      ({ data }) => data[0]?.seq === seq,
      () => 'unavailable' as const,
    );
    this.reads.push({ groupId, seq, shown });
  }
}

async function restHistory({ url, accessToken: token }: Session, groupId: string): Promise<RestHistory> {
  const messages: RestHistory['messages'] = [];
  for (;;) {
    const afterSeq = messages.at(-1)?.seq ?? 0;
    const path = `/v1/groups/${groupId}/messages?afterSeq=${afterSeq}&limit=100`;
    const page = await call<{ data: RestHistory['messages']; hasMore: boolean }>(url, 'GET', path, { token });
    messages.push(...page.data);
    if (!page.hasMore) return { groupId, messages };
  }
}

export const headOf = async ({ url, accessToken: token }: Session, groupId: string) =>
  (await call<{ headSeq: number }>(url, 'GET', `/v1/groups/${groupId}`, { token })).headSeq;

/** Brings every client up to date in every group. Returns what they did and saw for the checker. */
export async function historyOf(
  talkers: readonly Talker[],
  groups: string[],
  { reader, late = [], withinMs = 30_000 }: { reader: Session; late?: Listener[]; withinMs?: number },
): Promise<History> {
  const clients = [...talkers.map(({ client }) => client), ...late];
  const acknowledged = talkers.flatMap(({ sends }) => sends).filter(({ outcome }) => outcome === 'ok');
  for (const groupId of groups) {
    const known = [
      ...clients.map((client) => client.seq(groupId)),
      ...acknowledged.map((send) => (send.groupId === groupId ? (send.seq ?? 0) : 0)),
    ];
    const last = Math.max(...known);
    // REST lags a little. The checker judges whatever it does not show by then.
    const isShown = async () => (await headOf(reader, groupId)) >= last;
    await until(isShown, 'REST shows what is known', SHOWN_WITHIN_MS).catch(() => undefined);
    const head = await headOf(reader, groupId);
    await Promise.all(clients.map((client) => client.reached(groupId, head, withinMs)));
  }
  return {
    sends: talkers.flatMap(({ sends }) => sends),
    reads: talkers.flatMap(({ reads }) => reads),
    observers: clients.map((client, index) => ({ name: `client ${index}`, groups, seen: client.applied })),
    rest: await Promise.all(groups.map((groupId) => restHistory(reader, groupId))),
  };
}
