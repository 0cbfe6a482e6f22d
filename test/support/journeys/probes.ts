import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { clientEvents } from '../../../src/realtime/connection/protocol.ts';
import type { Canaries } from './canaries.ts';
import {
  type OpenApi,
  type Operation,
  type Schema,
  type Values,
  addressesOf,
  operationsOf,
  valueOf,
} from './described-calls.ts';
import { type Applicant, COMMON_WORD, type Job, type Place, type Story } from './isolation-story.ts';

/** Calls that name nothing of anybody, and change or show what is the same for all, are made by one in this many. */
const ONE_IN = 6;
/** May name a group that the caller is not in: it only remembers the id. */
const NAMES_ANY_ID = new Set([
  'setNotificationPreferences',
  'changeNotificationPreferences',
  'listUsers',
  'listFiles',
]);
/** The aim that repeats a message key of somebody else. */
const MESSAGE_KEY = 'message key';
const WRONG = 'not the password';
/** They end a session, so they come last. */
const LAST = ['endSession', 'logOut'];

/** A deleted message cannot be reacted to. */
const EVENTS = Object.entries(clientEvents)
  .map(([name, { payload }]) => ({
    name,
    schema: z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' }) as Schema,
  }))
  .toSorted((a, b) => Number(a.name === 'deleteMessage') - Number(b.name === 'deleteMessage'));

/** Places of others: in the same job, and in a job that the applicant has not applied for. */
type Victims = readonly [near: Place, far: Place];

/** Ids and words of somebody, for calls. */
interface Aim {
  whose: string;
  /** Of repetitions; the same for all applicants. */
  key: string;
  values: Values;
  cursors: Record<string, string>;
}

/** The ids and words of one place, as parameters and fields name them. */
const valuesOf = ({ owner, job, ...place }: Place, messageId: string): Values => ({
  anyId: place.applicationId,
  applicationId: place.applicationId,
  jobId: job.jobId,
  groupId: place.groupId,
  muted: [place.groupId],
  streamId: `conversation-${place.groupId}`,
  messageId,
  replyTo: messageId,
  fileId: place.fileId,
  noteId: place.noteId,
  clientMsgId: place.clientMsgId,
  userId: owner.session.userId,
  ids: owner.session.userId,
  assigneeId: owner.session.userId,
  sessionId: owner.sessionId,
  email: owner.email,
  q: [
    place.words.join(' or '),
    ...place.words.slice(1, 2).flatMap((word) => [word, word.slice(0, -6), `"${word}"`]),
  ],
});

export function createProbes(document: OpenApi, { canaries, story }: { canaries: Canaries; story: Story }) {
  const operations = operationsOf(document);
  const { schemas } = document.components;
  /** The statuses of all answers to each operation. */
  const statuses = new Map<string, Set<number>>(operations.map(({ name }) => [name, new Set()]));
  /** Acks of each socket event, as `ok` or the code of the problem. */
  const acks = new Map<string, Set<string>>(EVENTS.map(({ name }) => [name, new Set()]));
  /** Calls with ids of others that were obeyed. */
  const trespasses: string[] = [];

  /** What an applicant types and sends, whoever it is about. */
  function ownWords(self: Applicant): Partial<Values> {
    const word = story.probeWordOf(self);
    return {
      ...{ text: `${word} ${COMMON_WORD}`, coverLetter: word, reason: word, description: word, title: word },
      ...{ name: `${word}.txt`, contentType: 'text/plain', size: 5, sha256: undefined },
      ...{ displayName: story.nameOf(self), password: WRONG, currentPassword: WRONG },
      ...{ endpoint: self.subscription.endpoint, keys: self.subscription.keys, newPassword: randomUUID() },
      // Letters and pushes go on.
      ...{ quietHours: null, digestMinutes: 0 },
      ...{ emoji: '👍', beforeSeq: 1_000, token: self.downloadToken, refreshToken: 'not one' },
    };
  }

  /** The applicant’s own ids, those of others, and both together. */
  function aimsOf(self: Applicant, [near, far]: Victims): Aim[] {
    const [place] = self.places as [Place];
    const words = ownWords(self);
    const own: Values = {
      ...valuesOf(place, place.messageId),
      clientMsgId: randomUUID(),
      // Its own file is not shared again with those who have come since.
      fileIds: [],
      q: [COMMON_WORD, 'canary', '-absent'],
      ...words,
    };
    const aims: Aim[] = [{ whose: 'its own', key: 'own', values: own, cursors: self.cursors }];
    for (const [victim, key] of [
      [near, 'near'],
      [far, 'far'],
    ] as const)
      aims.push({
        whose: `${victim.owner.name}’s`,
        key,
        values: { ...valuesOf(victim, victim.messageId), ...words },
        cursors: victim.owner.cursors,
      });
    const inOwn = { jobId: own['jobId'], groupId: own['groupId'], clientMsgId: randomUUID() };
    aims.push({
      whose: `${near.owner.name}’s in its own`,
      key: 'in its own',
      values: { ...valuesOf(near, near.messageId), ...words, ...inOwn },
      cursors: self.cursors,
    });
    aims.push({
      whose: `the key of ${near.owner.name} for its own`,
      key: MESSAGE_KEY,
      values: { ...own, clientMsgId: near.clientMsgId },
      cursors: near.owner.cursors,
    });
    const { job } = place;
    const team = { groupId: job.groupId, messageId: job.team.messageId, replyTo: job.team.messageId };
    aims.push({
      whose: 'the team’s',
      key: 'team',
      values: {
        ...own,
        ...team,
        fileId: job.team.fileId,
        fileIds: [job.team.fileId],
        muted: [job.groupId],
        q: job.team.words,
      },
      cursors: job.cursors,
    });
    return aims;
  }

  const isForeign = ({ name, places }: Applicant, said: string) =>
    canaries.isForeign(name, said) ||
    places.some(({ job, groupId }) => groupId !== job.groupId && said.includes(job.groupId));

  async function call(self: Applicant, operation: Operation, aim: Aim, address: string) {
    const { name, method, isPublic, body } = operation;
    const content =
      body &&
      (body.schema.format === 'binary'
        ? Buffer.from('hello')
        : valueOf(body.schema, '', aim.values, schemas));
    const isKeyed = !isPublic && operation.parameters.some((each) => each.name === 'idempotency-key');
    // The same key for all applicants.
    const headers = isKeyed && { 'idempotency-key': `${name} ${aim.key}` };
    const { status, body: answer } = await self.watched.ask(method, address, {
      ...(content !== undefined && { body: content }),
      headers: { ...headers, ...(content instanceof Buffer && { 'content-type': 'text/plain' }) },
      isSigned: !isPublic,
    });
    statuses.get(name)!.add(status);
    const said = `${address} ${JSON.stringify(content ?? '')}`;
    if (status < 300 && !NAMES_ANY_ID.has(name) && isForeign(self, said))
      trespasses.push(`${self.name} with ${aim.whose}: ${method} ${said.slice(0, 300)} → ${status}`);
    return answer['code'];
  }

  /** Makes some calls with each aim, no call twice. */
  async function callAll(
    self: Applicant,
    index: number,
    aims: readonly Aim[],
    fits: (operation: Operation, aim: Aim, said: string) => boolean,
  ): Promise<void> {
    const made = new Set<string>();
    const last = ({ name, method }: Operation) =>
      (method === 'DELETE' ? 1 : 0) + 2 * (LAST.indexOf(name) + 1);
    const sorted = operations.toSorted((a, b) => last(a) - last(b));
    for (const [at, operation] of sorted.entries()) {
      let isRefused = false;
      for (const aim of aims) {
        const values = { ...aim.values, cursor: aim.cursors[pathOf(operation, aim)] };
        for (const address of addressesOf(operation, values, schemas)) {
          // Where the role is refused, there is no other answer.
          if (isRefused) break;
          const { schema } = operation.body ?? {};
          const key = `${operation.name} ${address} ${JSON.stringify(schema && valueOf(schema, '', values, schemas))}`;
          if (made.has(key) || !fits(operation, aim, key)) continue;
          made.add(key);
          const isOneOfMany =
            operation.isPublic || (operation.method !== 'GET' && !namesIds(operation, values));
          if (isOneOfMany && (at + index) % ONE_IN !== 0) continue;
          isRefused = (await call(self, operation, { ...aim, values }, address)) === 'ROLE_NOT_ALLOWED';
        }
      }
    }
  }

  const pathOf = ({ path }: Operation, { values }: Aim) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] as string);
  const namesIds = ({ path, body }: Operation, values: Values) =>
    path.includes('{') ||
    /[0-9a-f]{8}-/.test(JSON.stringify(body && valueOf(body.schema, '', values, schemas)) ?? '');

  const isReading = ({ method }: Operation) => method === 'GET';

  async function emit(self: Applicant, event: string, payload: unknown, whose: string): Promise<void> {
    if (!self.watched.isConnected()) await self.watched.connect();
    const ack = await self.watched.emit(event, payload);
    acks.get(event)!.add(ack['ok'] === true ? 'ok' : (ack['error'] as { code: string }).code);
    const said = JSON.stringify(payload);
    if (ack['ok'] === true && whose !== 'mixed' && isForeign(self, said))
      trespasses.push(`${self.name} with ${whose}: ${event} ${said.slice(0, 300)} → ok`);
  }

  return {
    statuses,
    acks,
    trespasses,

    /** Asks for everything that can be read, of one’s own and of others. */
    read: (self: Applicant, index: number, victims: Victims) =>
      callAll(self, index, aimsOf(self, victims), isReading),

    /** Tries to change what is of others. */
    trespass: (self: Applicant, index: number, victims: Victims) =>
      callAll(
        self,
        index,
        aimsOf(self, victims),
        (operation, aim, said) =>
          !isReading(operation) &&
          !operation.isPublic &&
          (isForeign(self, said) || (aim.key === MESSAGE_KEY && operation.name === 'sendMessage')),
      ),

    /** Changes what is of one’s own, and ends all of it. */
    change: (self: Applicant, index: number, victims: Victims) =>
      callAll(self, index, aimsOf(self, victims).slice(0, 1), (operation) => !isReading(operation)),

    /** Sends every event of the protocol, with ids of one’s own and of others. */
    async emit(self: Applicant, victims: Victims): Promise<void> {
      const session = { token: self.session.accessToken, seq: 1, afterSeq: 0 };
      const [own, ...others] = aimsOf(self, victims) as [Aim];
      const spare = { messageId: self.places[0]!.spareId };
      const aims = [{ ...own, values: { ...own.values, ...spare } }, ...others];
      for (const { name, schema } of EVENTS)
        for (const { whose, values } of aims)
          await emit(self, name, valueOf(schema, '', { ...values, ...session }, schemas), whose);
      const groupIds = new Set([...self.places, ...victims].map(({ groupId }) => groupId));
      for (const { job } of self.places) groupIds.add(job.groupId);
      const groups = [...groupIds].map((groupId) => ({ groupId, afterSeq: 0 }));
      await emit(self, 'sync', { groups }, 'mixed');
      for (const { groupId, isOver } of self.places)
        if (!isOver) await emit(self, 'joinRoom', { groupId }, 'its own');
    },
  };
}

/** Returns the places of others that an applicant asks for. */
export function victimsOf(self: Applicant, jobs: readonly Job[]): Victims {
  const [{ job: own }] = self.places as [Place];
  const at = own.places.findIndex(({ owner }) => owner === self);
  const other = jobs.find((job) => self.places.every((place) => place.job !== job))!;
  return [own.places[(at + 1) % own.places.length]!, other.places[at % other.places.length]!];
}
