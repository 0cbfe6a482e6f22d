/** A message that a client sent and its outcome: `unknown` when it gave up waiting for an answer. */
export interface Send {
  groupId: string;
  senderId: string;
  clientMsgId: string;
  text: string;
  outcome: 'ok' | 'refused' | 'unknown';
  seq?: number;
  messageId?: string;
}

export interface SeenEvent {
  groupId: string;
  seq: number;
  id: string;
  type: string;
  data: Record<string, unknown>;
}

/** The events that one client applied, in order, and its groups. */
export interface Observer {
  name: string;
  groups: string[];
  seen: SeenEvent[];
}

/** The messages of a group according to REST, ascending. */
export interface RestHistory {
  groupId: string;
  messages: { id: string; seq: number; senderId: string; text: string | null }[];
}

/** A read made after an ack: whether the acknowledged seq was shown, or the answer was 503. */
export interface ReadBack {
  groupId: string;
  seq: number;
  shown: boolean | 'unavailable';
}

export interface History {
  sends: Send[];
  observers: Observer[];
  rest: RestHistory[];
  reads: ReadBack[];
}

export interface Violation {
  invariant: 'durable' | 'unique' | 'dense order' | 'monotonic' | 'read your writes' | 'foreign';
  groupId: string;
  detail: string;
}

/**
 * Checks what clients sent and saw, without knowledge of the server (after Jepsen's total-queue and
 * set-full). Expects every view to be complete, so each client must have caught up before. Returns the
 * violations.
 */
export function checkHistory({ sends, observers, rest, reads }: History): Violation[] {
  const groupIds = new Set([...sends.map((send) => send.groupId), ...observers.flatMap((o) => o.groups)]);
  const perGroup = [...groupIds].flatMap((groupId) => {
    const views = observers
      .filter((observer) => observer.groups.includes(groupId))
      .map(({ name, seen }) => ({ name, events: seen.filter((event) => event.groupId === groupId) }));
    const own = sends.filter((send) => send.groupId === groupId);
    const told = rest.filter((history) => history.groupId === groupId);
    return [
      ...views.flatMap((view) => checkOrder(groupId, view)),
      ...checkSameViews(groupId, views),
      ...views.flatMap((view) => checkSends(groupId, own, view)),
      ...told.flatMap((history) => checkRest(history, views[0]?.events ?? [])),
    ];
  });
  return [...perGroup, ...observers.flatMap(checkMembership), ...reads.flatMap(checkRead)];
}

interface View {
  name: string;
  events: SeenEvent[];
}

function checkOrder(groupId: string, { name, events }: View): Violation[] {
  return events.flatMap((event, index): Violation[] => {
    const before = events[index - 1]?.seq ?? 0;
    if (event.seq === before + 1) return [];
    const invariant = event.seq <= before ? 'monotonic' : 'dense order';
    return [{ invariant, groupId, detail: `${name} applied seq ${event.seq} after ${before}` }];
  });
}

function checkSameViews(groupId: string, views: View[]): Violation[] {
  const [first, ...others] = views;
  const told = (events: SeenEvent[]) => events.map(({ seq, id }) => `${seq}:${id}`);
  const expected = told(first?.events ?? []);
  return others.flatMap(({ name, events }): Violation[] => {
    const actual = told(events);
    const at = Array.from({ length: Math.max(actual.length, expected.length) }).findIndex(
      (_, index) => actual[index] !== expected[index],
    );
    if (at < 0) return [];
    const detail = `${name} has ${actual[at]} where ${first?.name} has ${expected[at]}`;
    return [{ invariant: 'dense order', groupId, detail }];
  });
}

const nameOf = (senderId: unknown, clientMsgId: unknown) => `${String(senderId)}/${String(clientMsgId)}`;

function checkSends(groupId: string, sends: Send[], { name, events }: View): Violation[] {
  const seen = Map.groupBy(
    events.filter((event) => event.type === 'MessageSent'),
    ({ data }) => nameOf(data['senderId'], data['clientMsgId']),
  );
  const asked = new Map(sends.map((send) => [nameOf(send.senderId, send.clientMsgId), send]));
  const foreign = [...seen.entries()]
    .filter(([key, [event]]) => asked.get(key)?.text !== event?.data['text'])
    .map(([key]): Violation => ({
      invariant: 'foreign',
      groupId,
      detail: `${name} has ${key}, never sent so`,
    }));
  const wrong = sends.flatMap((send): Violation[] => {
    const found = seen.get(nameOf(send.senderId, send.clientMsgId)) ?? [];
    const detail = `${name} has ${send.clientMsgId} (${send.outcome}) at seq ${found.map((e) => e.seq).join(', ')}`;
    if (found.length > 1) return [{ invariant: 'unique', groupId, detail }];
    if (send.outcome === 'refused' && found.length > 0) return [{ invariant: 'foreign', groupId, detail }];
    if (send.outcome !== 'ok') return [];
    const [event] = found;
    if (!event) return [{ invariant: 'durable', groupId, detail }];
    const isSame = event.seq === send.seq && event.data['messageId'] === send.messageId;
    return isSame
      ? []
      : [{ invariant: 'durable', groupId, detail: `${detail}, acknowledged as ${send.seq}` }];
  });
  return [...foreign, ...wrong];
}

/** The messages folded from a view must equal those from REST. */
function checkRest({ groupId, messages }: RestHistory, events: SeenEvent[]): Violation[] {
  const folded = new Map<string, { seq: number; senderId: unknown; text: unknown }>();
  for (const { seq, type, data } of events) {
    const id = String(data['messageId']);
    const message = folded.get(id);
    if (type === 'MessageSent') folded.set(id, { seq, senderId: data['senderId'], text: data['text'] });
    else if (message && type === 'MessageEdited') folded.set(id, { ...message, text: data['text'] });
    else if (message && type === 'MessageDeleted') folded.set(id, { ...message, text: null });
  }
  const tell = (id: string, message: { seq: number; senderId: unknown; text: unknown } | undefined) =>
    `${message?.seq} ${id} ${String(message?.senderId)} ${JSON.stringify(message?.text)}`;
  const expected = [...folded].map(([id, message]) => tell(id, message));
  const actual = messages.map((message) => tell(message.id, message));
  const at = Array.from({ length: Math.max(actual.length, expected.length) }).findIndex(
    (_, index) => actual[index] !== expected[index],
  );
  if (at < 0) return [];
  return [{ invariant: 'durable', groupId, detail: `REST tells ${actual[at]}, the view ${expected[at]}` }];
}

const checkMembership = ({ name, groups, seen }: Observer): Violation[] =>
  [...new Set(seen.map((event) => event.groupId))]
    .filter((groupId) => !groups.includes(groupId))
    .map((groupId) => ({ invariant: 'foreign', groupId, detail: `${name} is no member` }));

const checkRead = ({ groupId, seq, shown }: ReadBack): Violation[] =>
  shown === false ? [{ invariant: 'read your writes', groupId, detail: `seq ${seq} was not shown` }] : [];
