import type { z } from 'zod';
import { accountEvents } from './account.ts';
import { applicationEvents } from './application.ts';
import { grantEvents, holdEvents } from './audit.ts';
import { chatGroupEvents } from './chat-group.ts';
import { companyEvents } from './company.ts';
import { conversationEvents } from './conversation.ts';
import { fileEvents } from './file.ts';
import { jobEvents } from './job.ts';
import { noteEvents } from './note.ts';
import { operationEvents } from './operations.ts';
import { retentionEvents } from './retention.ts';

/** The schemas of all events in the log, with the newest shape of each event's data. */
export const eventSchemas = {
  ...accountEvents,
  ...companyEvents,
  ...jobEvents,
  ...applicationEvents,
  ...noteEvents,
  ...chatGroupEvents,
  ...conversationEvents,
  ...fileEvents,
  ...grantEvents,
  ...holdEvents,
  ...retentionEvents,
  ...operationEvents,
};

type Schemas = typeof eventSchemas;
export type EventType = keyof Schemas;
type EventsOf<S> = {
  [T in keyof S]: { type: T; data: z.infer<S[T] extends z.ZodType ? S[T] : never> };
}[keyof S];

export type AccountEvent = EventsOf<typeof accountEvents>;
export type CompanyEvent = EventsOf<typeof companyEvents>;
export type JobEvent = EventsOf<typeof jobEvents>;
export type ApplicationEvent = EventsOf<typeof applicationEvents>;
export type NoteEvent = EventsOf<typeof noteEvents>;
export type ChatGroupEvent = EventsOf<typeof chatGroupEvents>;
/** What brings a user into a group, or takes one out. */
export type MembershipEvent = Extract<
  ChatGroupEvent,
  { type: 'ChatGroupCreated' | 'MemberJoined' | 'MemberLeft' | 'MemberRemoved' }
>;
export type ConversationEvent = EventsOf<typeof conversationEvents>;
export type FileEvent = EventsOf<typeof fileEvents>;
export type GrantEvent = EventsOf<typeof grantEvents>;
export type HoldEvent = EventsOf<typeof holdEvents>;
export type RetentionEvent = EventsOf<typeof retentionEvents>;
export type OperationEvent = EventsOf<typeof operationEvents>;
export type DomainEvent =
  | AccountEvent
  | CompanyEvent
  | JobEvent
  | ApplicationEvent
  | NoteEvent
  | ChatGroupEvent
  | ConversationEvent
  | FileEvent
  | GrantEvent
  | HoldEvent
  | RetentionEvent
  | OperationEvent;
export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;
