export { type ChatClient, type ChatOptions, type EventsOptions, createChatClient } from './client.ts';
export type { ClientEvent, ConnectionState, Payload, ServerEvent, ServerEvents } from './connection.ts';
export type { Conversation, ConversationState } from './conversation.ts';
export type { Directory } from './directory.ts';
export type { ConversationEvent, News, RosterEvent } from './follower.ts';
export type { Group, Inbox, InboxState, Thread } from './inbox.ts';
export type { Member, Members, MembersState } from './members.ts';
export type { Message, NamedFile } from './message.ts';
export {
  type NewMessage,
  type OutboxStore,
  type PendingMessage,
  type QueuedMessage,
  type Sending,
  type Sent,
  memoryOutbox,
} from './outbox.ts';
export { ChatProblem, type ProblemCode } from './problem.ts';
export type { components, paths } from './protocol.ts';
export { type Rest, dataOf } from './rest.ts';
export {
  type Credentials,
  type GivenTokens,
  type SessionStorage,
  type User,
  memoryStorage,
} from './session.ts';
export type { Store } from './store.ts';
export type { NewFile, Upload, UploadState } from './upload.ts';
