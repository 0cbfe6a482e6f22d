import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChatClient } from '../packages/chat-client/src/index.ts';
import { round } from './bench.ts';
import { type Member, enter, arrive } from './member.ts';

/** The orders for the clients, which are one process, the same for the project and its peer. */
export type Job =
  | { do: 'connect'; url: string; members: Member[] }
  /**
   * The messages a second, by all members in turn; without it, every member keeps one message outstanding.
   */
  | { do: 'talk'; milliseconds: number; offered: number | undefined }
  /** One member sends at a time, without other load. */
  | { do: 'whisper'; messages: number }
  /** All connections end, and come back together. With `syncs` each asks what it missed. */
  | { do: 'storm'; syncs: boolean };

export interface Talk {
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  messages: number;
  refused: number;
  /** From sending to the echo at the sender. */
  echoMs: number[];
  /** The share of one core; near 1 the clients, not the server, are the bottleneck. */
  clientCpu: number;
}

export interface Storm {
  /** From the first reconnect until the last client is in its room, and knows what it missed. */
  milliseconds: number;
  /** Connections that were open, and broke before all were back. */
  broken: number;
}

export interface Whisper {
  /** From sending to the arrival at another member. */
  receiveMs: number[];
}

interface Envelope {
  data: { senderId: string; clientMsgId: string };
}

const TEXT = 'The quick brown fox jumps over the lazy dog; a line as people write them in a chat, no longer.';

interface Voice {
  member: Member;
  chat: ChatClient;
  heard: (envelope: Envelope) => void;
}

async function open(url: string, member: Member): Promise<Voice> {
  const chat = await enter(url, member);
  const voice: Voice = { member, chat, heard: () => undefined };
  chat.on('messageSent', (envelope) => voice.heard(envelope));
  return voice;
}

/** Sends one message, once. Throws `ChatProblem`. */
const send = ({ chat, member: { groupId } }: Voice, clientMsgId: string) =>
  chat.ask('sendMessage', { groupId, clientMsgId, text: TEXT });

const voices: Voice[] = [];

/** Connects in small batches, so that neither side's handshake backlog overflows. */
async function connect(url: string, members: Member[]): Promise<void> {
  for (let from = 0; from < members.length; from += 50) {
    const batch = members.slice(from, from + 50);
    voices.push(...(await Promise.all(batch.map((member) => open(url, member)))));
  }
}

/** The longest wait for the answers that are due when a talk ends. */
const LAST_ANSWERS_MS = 300;
/** The interval at which clients with a fixed rate send their due messages. */
const TURN_MS = 2;
/** The step from one sender to the next, past the ten members of a group, so that all groups are active. */
const STEP = 11;

async function talk(milliseconds: number, offered: number | undefined): Promise<Talk> {
  const sentAt = new Map<string, number>();
  const echoes: number[] = [];
  let acks = 0;
  let deliveries = 0;
  let refused = 0;
  let unanswered = 0;
  let isOver = false;
  const sendNext = (voice: Voice) => {
    if (isOver) return;
    const clientMsgId = randomUUID();
    sentAt.set(clientMsgId, performance.now());
    unanswered += 1;
    send(voice, clientMsgId).then(
      () => {
        unanswered -= 1;
        acks += 1;
        if (offered === undefined) sendNext(voice);
      },
      (error: unknown) => {
        unanswered -= 1;
        // An immediate retry would be refused again.
        if (offered === undefined) throw error;
        refused += 1;
      },
    );
  };
  for (const voice of voices) {
    voice.heard = (envelope) => {
      deliveries += 1;
      const { senderId, clientMsgId } = envelope.data;
      if (senderId !== voice.member.userId) return;
      echoes.push(performance.now() - (sentAt.get(clientMsgId) ?? Number.NaN));
      sentAt.delete(clientMsgId);
    };
    if (offered === undefined) sendNext(voice);
  }
  const started = performance.now();
  const turns = offered === undefined ? undefined : sendAtRate(offered, sendNext);
  const cpu = process.cpuUsage();
  await pause(milliseconds);
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const measured = { acks, deliveries, echoes: [...echoes] };
  isOver = true;
  clearInterval(turns);
  const ended = performance.now();
  while (unanswered > 0 && performance.now() - ended < LAST_ANSWERS_MS) await pause(10);
  for (const voice of voices) voice.heard = () => undefined;
  return {
    messagesPerSecond: round(measured.acks / seconds, 0),
    deliveriesPerSecond: round(measured.deliveries / seconds, 0),
    messages: measured.acks,
    refused,
    echoMs: measured.echoes,
    clientCpu: round((user + system) / 1e6 / seconds),
  };
}

function sendAtRate(perSecond: number, send: (voice: Voice) => void): NodeJS.Timeout {
  const started = performance.now();
  let sent = 0;
  return setInterval(() => {
    const due = ((performance.now() - started) / 1_000) * perSecond;
    for (; sent < due; sent += 1) send(voices[(sent * STEP) % voices.length]!);
  }, TURN_MS);
}

async function whisper(messages: number): Promise<Whisper> {
  const [sender, receiver] = voices;
  if (!sender || !receiver) throw new Error('a whisper needs two members');
  const receiveMs: number[] = [];
  for (let count = 0; count < messages; count += 1) {
    const heard = Promise.withResolvers<void>();
    receiver.heard = () => heard.resolve();
    const started = performance.now();
    send(sender, randomUUID()).catch(heard.reject);
    await heard.promise;
    receiveMs.push(performance.now() - started);
    await pause(5);
  }
  return { receiveMs };
}

/** A time in which a server has seen that its connections are gone. */
const GONE_MS = 1_000;

async function storm(syncs: boolean): Promise<Storm> {
  for (const { chat } of voices) chat.close();
  await pause(GONE_MS);
  const started = performance.now();
  let broken = 0;
  const watches = voices.map(({ chat }) =>
    chat.connection.subscribe(({ reason }) => {
      if (reason !== undefined) broken += 1;
    }),
  );
  await Promise.all(voices.map((voice) => comeBack(voice, syncs)));
  const milliseconds = performance.now() - started;
  for (const leave of watches) leave();
  return { milliseconds: round(milliseconds, 0), broken };
}

async function comeBack({ chat, member: { groupId } }: Voice, syncs: boolean): Promise<void> {
  const inRoom = arrive(chat, groupId);
  // Asked as soon as the connection is open, as for a conversation that is followed.
  if (syncs) await chat.insist('sync', { groups: [{ groupId, afterSeq: 0 }] });
  await inRoom;
}

async function obey(job: Job): Promise<unknown> {
  switch (job.do) {
    case 'connect':
      return connect(job.url, job.members);
    case 'talk':
      return talk(job.milliseconds, job.offered);
    case 'whisper':
      return whisper(job.messages);
    case 'storm':
      return storm(job.syncs);
  }
}

process.on('message', (job: Job) => {
  obey(job).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
