import { type fileOf, fileStatus } from '../commands/file/file.ts';
import type { ChatGroupEvent, CompanyEvent, ConversationEvent } from '../events/domain-event.ts';
import type { FileStatus } from '../events/file.ts';
import { NO_STREAM, type Recorded, type Revision } from '../events/event-store.ts';
import type { FileId, GroupId, UserId } from '../events/ids.ts';
import { chatGroupStream, companyStream, conversationStream, fileStream } from '../events/streams.ts';
import { type Messages, type PastMessage, messagesAfter, noMessages } from './conversation.ts';
import { erasuresIn } from './erasures.ts';
import type { Moment } from './moment.ts';
import { type PastStreams, eventsBetween, revisionAt, shownTo, stateAt } from './past-streams.ts';
import { type Reader, nobody, readersAfter } from './readers.ts';
import type { MayRead } from './redact.ts';

export interface PastFile {
  id: string;
  name: string;
  contentType: string;
  size: number;
  status: FileStatus;
}
export type ShownMessage = Omit<PastMessage, 'fileIds'> & {
  files: PastFile[];
  /** When its text was erased, as the present history shows it; null for text that is kept, also if it is redacted. */
  erasedAt: string | null;
};

export interface MessagePage {
  messages: ShownMessage[];
  /** The seq of the conversation's last event at the moment; 0 without one. */
  headSeq: number;
  /** Whether there were more messages, in the direction of the page. */
  hasMore: boolean;
}

export interface AskedMessages {
  beforeSeq?: number | undefined;
  afterSeq?: number | undefined;
  limit: number;
}

/** Revisions looked at in one step back. */
const STEP = 500;
/** Files looked up at a time. */
const AT_ONCE = 8;

/**
 * Resolves with a page of a conversation as its members saw it, up to a revision: the last messages, or those before
 * or after a seq. It reads the conversation from the first of them on, because a later event may have changed them.
 */
export async function messagesAt(
  streams: PastStreams,
  groupId: GroupId,
  {
    revision,
    moment,
    mayRead,
    ...asked
  }: AskedMessages & { revision: Revision; moment: Moment; mayRead: MayRead },
): Promise<MessagePage> {
  const stream = conversationStream(groupId);
  const headSeq = revision + 1;
  const { first, last, hasMore } = await rangeOf(streams, groupId, revision, asked);
  let messages: Messages = noMessages;
  for await (const page of eventsBetween(streams, stream, { from: first - 1, to: revision })) {
    const events = page.map((event) => shownTo(mayRead, event)) as Recorded<ConversationEvent>[];
    messages = messagesAfter(messages, events, { first, last });
  }
  const shown = [...messages.values()];
  const [files, erasedAt] = await Promise.all([
    filesAt(streams, new Set(shown.flatMap(({ fileIds }) => fileIds)), { moment, mayRead }),
    erasuresIn(streams, groupId, new Set(shown.map(({ senderId }) => senderId))),
  ]);
  return {
    messages: shown.map(({ fileIds, ...message }) => {
      const erased = erasedAt(message);
      return {
        ...message,
        // The key goes a moment after the person.
        text: erased === null ? message.text : null,
        erasedAt: erased,
        files: fileIds.flatMap((id) => files.get(id) ?? []),
      };
    }),
    headSeq,
    hasMore,
  };
}

interface Range {
  first: number;
  last: number;
  hasMore: boolean;
}

/** Resolves with the seqs of the first and the last message of a page. */
async function rangeOf(
  streams: PastStreams,
  groupId: GroupId,
  revision: Revision,
  { beforeSeq = Infinity, afterSeq, limit }: AskedMessages,
): Promise<Range> {
  const stream = conversationStream(groupId);
  const seqs: number[] = [];
  const end = Math.min(revision, beforeSeq - 2);
  const sentIn = (page: Recorded[]) =>
    page.filter(({ type }) => type === 'MessageSent').map((event) => event.revision + 1);
  if (afterSeq !== undefined) {
    for await (const page of eventsBetween(streams, stream, { from: afterSeq, to: end })) {
      seqs.push(...sentIn(page));
      if (seqs.length > limit) break;
    }
    const [first = revision + 2] = seqs;
    return { first, last: seqs.slice(0, limit).at(-1) ?? 0, hasMore: seqs.length > limit };
  }
  for (let to = end; to > NO_STREAM && seqs.length <= limit; to -= STEP) {
    const step: number[] = [];
    for await (const page of eventsBetween(streams, stream, { from: Math.max(0, to - STEP + 1), to }))
      step.push(...sentIn(page));
    seqs.unshift(...step);
  }
  const kept = seqs.slice(-limit);
  return { first: kept[0] ?? revision + 2, last: kept.at(-1) ?? 0, hasMore: seqs.length > limit };
}

async function filesAt(
  streams: PastStreams,
  fileIds: ReadonlySet<string>,
  { moment, mayRead }: { moment: Moment; mayRead: MayRead },
): Promise<Map<string, PastFile>> {
  const files = new Map<string, PastFile>();
  const waiting = fileIds.values();
  const takeFromQueue = async () => {
    for (const fileId of waiting) {
      const stream = fileStream(fileId as FileId);
      const revision = await revisionAt(streams, stream, moment);
      const file = (await stateAt(streams, stream, 'file', { revision, mayRead })) as FileState;
      if (file.status === 'none') continue;
      const { name, contentType, size } = file;
      files.set(fileId, { id: fileId, name, contentType, size, status: fileStatus(file) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeFromQueue));
  return files;
}
type FileState = ReturnType<typeof fileOf>['aggregate']['initial'];

/** Resolves with who may read a conversation at a moment, by its group up to a revision and by its company. */
export async function readersAt(
  streams: PastStreams,
  groupId: GroupId,
  { revision, moment }: { revision: Revision; moment: Moment },
): Promise<Reader[]> {
  const stream = chatGroupStream(groupId);
  const created = await stateAt(streams, stream, 'chatGroup', { revision: 0, mayRead: () => false });
  const { companyId = null } = created as { companyId?: UserId | null };
  let changes = companyId === null ? [] : await companyEvents(streams, companyId, moment);
  let readership = nobody;
  for await (const page of eventsBetween(streams, stream, { from: 0, to: revision })) {
    const events = page as Recorded<ChatGroupEvent>[];
    const last = events.at(-1)!.position;
    const meanwhile = changes.filter(({ position }) => position < last);
    changes = changes.slice(meanwhile.length);
    const inOrder = [...meanwhile, ...events].toSorted((a, b) => a.position - b.position);
    readership = readersAfter(readership, groupId, inOrder);
  }
  return [...readersAfter(readership, groupId, changes).readers.values()];
}

async function companyEvents(streams: PastStreams, companyId: UserId, moment: Moment) {
  const stream = companyStream(companyId);
  const events: Recorded<CompanyEvent>[] = [];
  const to = await revisionAt(streams, stream, moment);
  for await (const page of eventsBetween(streams, stream, { from: 0, to }))
    events.push(...(page as Recorded<CompanyEvent>[]));
  return events;
}
