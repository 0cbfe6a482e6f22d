import { accountEvents } from '../../../src/events/account.ts';
import { applicationEvents } from '../../../src/events/application.ts';
import { grantEvents, holdEvents } from '../../../src/events/audit.ts';
import { chatGroupEvents } from '../../../src/events/chat-group.ts';
import { companyEvents } from '../../../src/events/company.ts';
import type {
  CompanyEvent,
  AccountEvent,
  ApplicationEvent,
  ChatGroupEvent,
  DomainEvent,
  FileEvent,
  GrantEvent,
  HoldEvent,
  JobEvent,
  NoteEvent,
  OperationEvent,
  RetentionEvent,
} from '../../../src/events/domain-event.ts';
import type { EventStore, Recorded } from '../../../src/events/event-store.ts';
import { fileEvents } from '../../../src/events/file.ts';
import { operationEvents } from '../../../src/events/operations.ts';
import { noteEvents } from '../../../src/events/note.ts';
import { retentionEvents } from '../../../src/events/retention.ts';
import { jobEvents } from '../../../src/events/job.ts';
import {
  companyStream,
  type Stream,
  accountStream,
  applicationStream,
  chatGroupStream,
  conversationStream,
  fileStream,
  grantStream,
  holdStream,
  jobStream,
  notesStream,
  operationStream,
  retentionStream,
} from '../../../src/events/streams.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { uuid } from './example-events.ts';

const isOneOf =
  <E extends DomainEvent>(schemas: object) =>
  (event: DomainEvent): event is E =>
    Object.hasOwn(schemas, event.type);
const isAccountEvent = isOneOf<AccountEvent>(accountEvents);
const isCompanyEvent = isOneOf<CompanyEvent>(companyEvents);
const isJobEvent = isOneOf<JobEvent>(jobEvents);
const isApplicationEvent = isOneOf<ApplicationEvent>(applicationEvents);
const isNoteEvent = isOneOf<NoteEvent>(noteEvents);
const isChatGroupEvent = isOneOf<ChatGroupEvent>(chatGroupEvents);
const isFileEvent = isOneOf<FileEvent>(fileEvents);
const isGrantEvent = isOneOf<GrantEvent>(grantEvents);
const isHoldEvent = isOneOf<HoldEvent>(holdEvents);
const isOperationEvent = isOneOf<OperationEvent>(operationEvents);
const isRetentionEvent = isOneOf<RetentionEvent>(retentionEvents);

/** Returns the stream of an event, by its type and keys alone. */
export function streamOf(event: DomainEvent): Stream {
  if (isAccountEvent(event)) return accountStream(event.data.userId);
  if (isCompanyEvent(event)) return companyStream(event.data.companyId);
  if (isJobEvent(event)) return jobStream(event.data.jobId);
  if (isApplicationEvent(event)) return applicationStream(event.data.jobId, event.data.applicantId);
  if (isNoteEvent(event)) return notesStream(event.data.applicationId);
  if (isChatGroupEvent(event)) return chatGroupStream(event.data.groupId);
  if (isFileEvent(event)) return fileStream(event.data.fileId);
  if (isGrantEvent(event)) return grantStream(event.data.grantId);
  if (isHoldEvent(event)) return holdStream(event.data.holdId);
  if (isOperationEvent(event)) return operationStream(event.data.actId);
  if (isRetentionEvent(event)) return retentionStream(event.data.groupId);
  return conversationStream(event.data.groupId);
}

/** Appends events to the log unchanged, as a history. Returns them as recorded. */
export async function happened(store: EventStore, ...events: DomainEvent[]): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  for (const event of events) {
    const verdict = await store.append({
      stream: streamOf(event),
      events: [{ id: newId(), event }],
      expected: 'any',
      occurredAt: '2026-01-02T03:04:05.678Z',
      metadata: { actorId: null, correlationId: uuid(0xc1), causationId: null },
    });
    if (verdict.outcome !== 'appended') throw new Error(`history was not stored: ${verdict.outcome}`);
    recorded.push(...verdict.events);
  }
  return recorded;
}

export const wholeLog = (store: EventStore): Promise<Recorded[]> =>
  store.readAll({ after: 0, limit: 10_000 });
