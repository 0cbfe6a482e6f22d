import { type FileHandle, open as openFile } from 'node:fs/promises';
import { once } from 'node:events';
import { z } from 'zod';
import { exportEvents } from '../../src/audit/export-events.ts';
import { type Line, toLine, toLines } from '../../src/audit/line.ts';
import { type MessagePage, messagesAt, readersAt } from '../../src/audit/past-group.ts';
import { eventsBetween, revisionAt, stateAt } from '../../src/audit/past-streams.ts';
import { nobodysText } from '../../src/audit/redact.ts';
import { type TraceNode, trace } from '../../src/audit/trace.ts';
import { NO_STREAM, type Position } from '../../src/events/event-store.ts';
import { GroupId } from '../../src/events/ids.ts';
import {
  type Category,
  type Stream,
  categoryOf,
  chatGroupStream,
  conversationStream,
} from '../../src/events/streams.ts';
import { EventQuery, toFilter } from '../../src/http/routes/audit/events.ts';
import { PlainPosition, StreamName, TimeParameter } from '../../src/http/routes/audit/parameters.ts';
import { sleep } from '../../src/kit/back-off.ts';
import { showProgress } from '../progress.ts';
import { Misused, type Print, Refused, count } from '../program.ts';
import { type Opened, withStoredLog } from './connect.ts';

export const READING_USAGE = `
  events                  the log, one event a line
  export --to <file>      the same into a file, as NDJSON; goes on where an earlier export into it ended
  stream <stream>         the events of one stream
  state <stream>          the state that they lead to
  conversation <group>    the messages as the members saw them, and who could read them
  replay <group>          plays the conversation back
  trace <event>           what an event followed from, and what followed from it

  --stream --category --type --actor --correlation --from --to --after --limit
                          which events: as in GET /v1/audit/events, --until instead of --to with export
  --at <time>, --at-position <position>, --at-revision <revision>
                          the moment to look at; without one, now
  --speed <factor>        of replay; default 10. Long breaks are cut short
  --json                  as JSON instead of text
  --grant <id>            an open access grant: personal text in its scope is shown
`;

const string = { type: 'string' } as const;
export const readingOptions = {
  ...{ stream: string, category: string, type: string, actor: string, correlation: string },
  ...{ from: string, to: string, until: string, after: string, limit: string },
  ...{ at: string, 'at-position': string, 'at-revision': string, speed: string, grant: string },
} as const;
export type ReadingValues = { [N in keyof typeof readingOptions]?: string } & { json?: boolean };

type Reads = (values: ReadingValues, argument: string | undefined, print: Print) => Promise<void>;

const MESSAGES = 100;
/** The longest break of a replay, in milliseconds. */
const BREAK_MS = 3_000;

/** Returns a value of the command line. Throws `Misused`, which names the option. */
function parsed<T extends z.ZodType>(name: string, schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Misused(`${[name, ...(issue?.path ?? [])].filter(Boolean).join(' ')}: ${issue?.message}`);
}

function filterOf(values: ReadingValues, to: string | undefined) {
  const { stream, category, type, actor, correlation, from, after: afterPosition, limit } = values;
  const given = { stream, category, type, actor, correlation, from, to, limit };
  return {
    ...toFilter(parsed('', EventQuery, given)),
    afterPosition: parsed('--after', PlainPosition.optional(), afterPosition),
  };
}

const momentOf = (values: ReadingValues) => ({
  at: parsed('--at', TimeParameter.optional(), values.at),
  atPosition: parsed('--at-position', PlainPosition.optional(), values['at-position']),
  atRevision: parsed('--at-revision', PlainPosition.optional(), values['at-revision']),
});

const asText = ({
  position,
  occurredAt,
  type,
  stream,
  revision,
  actorId,
  id,
  data,
}: Omit<Line, 'recordedAt'>) =>
  `${position.padStart(9)}  ${occurredAt}  ${type.padEnd(24)} ${stream}@${revision}  ` +
  `by ${actorId ?? 'the system'}  ${id}  ${JSON.stringify(data)}`;

/** Writes text, waiting for a slow reader. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

const isLine = (line: Line | { next: string | null }): line is Line => 'id' in line;

/** Calls back with the lines of an export, chunk by chunk, to its end. */
async function walk(
  { storedLog, text, store }: Opened,
  { filter, afterPosition = 0, limit = Infinity }: ReturnType<typeof filterOf>,
  take: (lines: Line[], chunk: string) => Promise<void>,
): Promise<void> {
  const progress = showProgress('reading the log');
  const head = await store.head();
  let [after, left, read]: [Position | null, number, number] = [afterPosition, limit, 0];
  try {
    while (after !== null && left > 0) {
      const chunks = await exportEvents({
        ...{ log: storedLog, filter, after, limit: left, open: text, mayGoOn: () => true },
      });
      for await (const chunk of chunks) {
        const lines = chunk
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Line | { next: string | null });
        const [last] = lines;
        if (last && !isLine(last)) {
          after = last.next === null ? null : Number(last.next);
          continue;
        }
        const events = lines.filter(isLine);
        await take(events, chunk);
        left -= events.length;
        read += events.length;
        progress.reach(
          Number(events.at(-1)?.position ?? 0) - afterPosition,
          Math.max(1, head - afterPosition),
          read,
        );
      }
    }
  } finally {
    progress.stop();
  }
}

const events: Reads = (values) => {
  const asked = filterOf(values, values.to);
  return withStoredLog(values.grant, (opened) =>
    walk(opened, asked, (lines, chunk) =>
      write(values.json ? chunk : lines.map((line) => `${asText(line)}\n`).join('')),
    ),
  );
};

const TAIL = 1_048_576;

/** Resolves with the position of the last whole line of a file, after cutting off what an interrupted export left. */
async function lastPosition(file: FileHandle, path: string): Promise<Position> {
  const { size } = await file.stat();
  const start = Math.max(0, size - TAIL);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  const tail = buffer.subarray(0, bytesRead);
  const end = tail.lastIndexOf(0x0a) + 1;
  if (end === 0 && size > 0) throw new Refused(`${path} is not an export`);
  await file.truncate(start + end);
  if (end === 0) return 0;
  const begin = tail.lastIndexOf(0x0a, end - 2) + 1;
  const Exported = z.object({ position: z.string().regex(/^\d{1,15}$/) });
  try {
    return Number(Exported.parse(JSON.parse(tail.toString('utf8', begin, end))).position);
  } catch {
    throw new Refused(`${path} is not an export`);
  }
}

const exportTo: Reads = async (values, _argument, print) => {
  const path = values.to;
  if (path === undefined) throw new Misused('--to: is missing');
  const asked = filterOf(values, values.until);
  const file = await openFile(path, 'a+');
  try {
    const known = await lastPosition(file, path);
    const afterPosition = Math.max(known, asked.afterPosition ?? 0);
    let written = 0;
    await withStoredLog(values.grant, (opened) =>
      walk(opened, { ...asked, afterPosition }, async (lines, chunk) => {
        await file.appendFile(chunk);
        written += lines.length;
      }),
    );
    await file.sync();
    const since = known > 0 ? `, after position ${known}` : '';
    print({ written, path, after: known }, `wrote ${count(written)} events to ${path}${since}`);
  } finally {
    await file.close();
  }
};

async function existing({ store }: Opened, stream: Stream, values: ReadingValues): Promise<number> {
  const revision = await revisionAt(store, stream, momentOf(values));
  if (revision === NO_STREAM) throw new Refused(`${stream} has no events at that moment`);
  return revision;
}

const stream: Reads = (values, name) => {
  const asked = parsed('stream', StreamName, name);
  return withStoredLog(values.grant, async (opened) => {
    const revision = await existing(opened, asked, values);
    for (let from = 0; from <= revision;) {
      const limit = Math.min(1_000, revision - from + 1);
      const page = await opened.storedLog.ofStream(asked, { from, limit });
      for (const line of await toLines(page, opened.text))
        await write(`${values.json ? JSON.stringify(line) : asText(line)}\n`);
      if (page.length === 0) return;
      from = page.at(-1)!.revision + 1;
    }
  });
};

const state: Reads = (values, name, print) => {
  const asked = parsed('stream', StreamName, name);
  return withStoredLog(values.grant, async (opened) => {
    const revision = await existing(opened, asked, values);
    const mayRead = opened.text?.mayRead ?? nobodysText;
    const category = categoryOf(asked) as Category;
    const folded =
      category === 'conversation'
        ? await lastMessages(opened, GroupId.parse(asked.slice(category.length + 1)), values)
        : await stateAt(opened.store, asked, category, { revision, mayRead });
    const whole = { stream: asked, revision, state: folded };
    print(whole, JSON.stringify(whole, null, 2));
  });
};

async function lastMessages(
  { store, text }: Opened,
  groupId: GroupId,
  values: ReadingValues,
): Promise<MessagePage> {
  const moment = momentOf(values);
  const revision = await revisionAt(store, conversationStream(groupId), moment);
  const mayRead = text?.mayRead ?? nobodysText;
  return messagesAt(store, groupId, { revision, moment, mayRead, limit: MESSAGES });
}

const conversation: Reads = (values, group, print) => {
  const groupId = parsed('group', GroupId, group);
  return withStoredLog(values.grant, async (opened) => {
    const { atRevision: _, ...moment } = momentOf(values);
    const revision = await revisionAt(opened.store, chatGroupStream(groupId), moment);
    if (revision === NO_STREAM) throw new Refused('there was no such group at that moment');
    const readers = await readersAt(opened.store, groupId, { revision, moment });
    const page = await lastMessages(opened, groupId, values);
    print({ groupId, readers, ...page }, [
      ...readers.map(({ userId, role, since }) => `${userId}  ${role.padEnd(6)}  since ${since}`),
      page.hasMore ? `… the last ${MESSAGES} messages:` : '',
      ...page.messages.map(asMessage),
    ]);
  });
};

function asMessage({
  seq,
  occurredAt,
  senderId,
  text,
  files,
  reactions,
  ...changes
}: MessagePage['messages'][number]): string {
  const { deletedAt, erasedAt, editedAt } = changes;
  const gone = [
    ...(deletedAt === null ? [] : [`deleted ${deletedAt}`]),
    ...(erasedAt === null ? [] : [`erased ${erasedAt}`]),
  ];
  const body = gone.length === 0 ? (text ?? '') : `(${gone.join(', ')})`;
  const notes = [
    ...(editedAt === null ? [] : [`edited ${editedAt}`]),
    ...files.map(({ name, status }) => `file ${name}, ${status}`),
    ...Object.entries(reactions).map(([emoji, users]) => `${emoji} ${users.length}`),
  ];
  return `#${seq}  ${occurredAt}  ${senderId}  ${body}${notes.length > 0 ? `  [${notes.join('; ')}]` : ''}`;
}

const Speed = z.coerce.number().positive().max(1_000_000).default(10);

const replay: Reads = (values, group) => {
  const groupId = parsed('group', GroupId, group);
  const speed = parsed('--speed', Speed, values.speed);
  const from = parsed('--from', TimeParameter.optional(), values.from) ?? '';
  const at = parsed('--to', TimeParameter.optional(), values.to);
  return withStoredLog(values.grant, async ({ store, text }) => {
    const ofConversation = conversationStream(groupId);
    const to = await revisionAt(store, ofConversation, { at });
    if (to === NO_STREAM) throw new Refused('the conversation has no events by then');
    const mayRead = text?.mayRead ?? nobodysText;
    let before: number | undefined;
    for await (const page of eventsBetween(store, ofConversation, { from: 0, to }))
      for (const event of page) {
        if (event.occurredAt < from) continue;
        const now = Date.parse(event.occurredAt);
        const breakMs = Math.min(BREAK_MS, Math.max(0, now - (before ?? now)) / speed);
        if (breakMs >= 1) await sleep(breakMs);
        before = now;
        const line = toLine(event, mayRead);
        await write(`${values.json ? JSON.stringify(line) : asText(line)}\n`);
      }
  });
};

/** Returns a node and what lies behind it, one line each. */
function asTree(node: TraceNode, direction: 'causes' | 'effects', depth: number): string[] {
  const arrow = direction === 'causes' ? '<-' : '->';
  const how = node.relation === null ? '' : `${arrow} ${node.relation === 'caused' ? '' : '(relied on) '}`;
  const line = `${'  '.repeat(depth)}${how}${asText(node).trimStart()}`;
  return [line, ...node[direction].flatMap((next) => asTree(next, direction, depth + 1))];
}

const traceEvent: Reads = (values, id, print) => {
  const eventId = parsed('event', z.uuid().toLowerCase(), id);
  return withStoredLog(values.grant, async ({ store, storedLog, text }) => {
    const found = await trace(eventId, { store, storedLog, mayRead: text?.mayRead ?? nobodysText });
    if (!found) throw new Refused(`the log has no event ${eventId}`);
    print(found, [
      ...asTree(found.event, 'causes', 0),
      ...found.event.effects.flatMap((effect) => asTree(effect, 'effects', 1)),
      ...(found.truncated ? ['… there are, or may be, more'] : []),
    ]);
  });
};

/** The commands that read the log. */
export const readingCommands: Readonly<Record<string, Reads>> = {
  ...{ events, export: exportTo, stream, state, conversation, replay, trace: traceEvent },
};
