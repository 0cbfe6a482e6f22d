import type { EventOf, EventType } from './domain-event.ts';
import type { Append, Metadata } from './event-store.ts';
import type { StoredShape } from './stored-events.ts';
import type { Stream } from './streams.ts';

interface PersonalText<T extends EventType> {
  /** The fields that contain personal text: what a person wrote, is called, or is told. */
  fields: readonly (keyof EventOf<T>['data'])[];
  /** It was said in the group of `data.groupId`, and is erased when that group's past is. */
  inGroup?: true;
  /** Returns the id of the person whom the text belongs to. */
  of: (event: { data: EventOf<T>['data']; metadata: Pick<Metadata, 'actorId'> }) => string | null;
}

const ofApplicant = ({ data }: { data: { applicantId: string } }) => data.applicantId;
const ofUser = ({ data }: { data: { userId: string } }) => data.userId;
const ofUploader = ({ data }: { data: { uploaderId: string } }) => data.uploaderId;

/** The personal text of events. It is redacted for auditors, and erased with the person. */
export const personalText: { [T in EventType]?: PersonalText<T> } = {
  AccountRegistered: { fields: ['displayName'], of: ofUser },
  ProfileChanged: { fields: ['displayName'], of: ofUser },
  ApplicationSubmitted: { fields: ['coverLetter'], of: ofApplicant },
  ApplicationResubmitted: { fields: ['coverLetter'], of: ofApplicant },
  // The company writes them, but about the applicant.
  ApplicationStatusChanged: { fields: ['reason'], of: ofApplicant },
  ApplicationReconsidered: { fields: ['reason'], of: ofApplicant },
  // So are notes.
  NoteAdded: { fields: ['text'], of: ofApplicant },
  MessageSent: { fields: ['text'], inGroup: true, of: ({ data }) => data.senderId },
  // Only the sender edits a message.
  MessageEdited: { fields: ['text'], inGroup: true, of: ({ metadata }) => metadata.actorId },
  FileUploadRequested: { fields: ['name'], inGroup: true, of: ofUploader },
  FileCleared: { fields: ['name'], inGroup: true, of: ofUploader },
};

/** What is read in place of the names of erased people and their files. */
export const ERASED = '[erased]';

/** What is read in place of erased personal text: names need some text, the rest may be absent. */
export const erasedText: Readonly<Record<string, string | null>> = {
  displayName: ERASED,
  name: ERASED,
  text: null,
  coverLetter: null,
  reason: null,
};

/** An event on its way out of the log, in its stored form. */
export interface Unopened extends StoredShape {
  id: string;
  stream: Stream;
  occurredAt: string;
  metadata: Pick<Metadata, 'actorId'>;
}

/** Returns data with nothing in place of sealed text, for those who need only its shape. */
export function withoutText({ data }: Pick<Unopened, 'data'>): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const fields = Object.entries(data).map(([name, value]: [string, unknown]) => [
    name,
    isSealed(value) ? erasedText[name] : value,
  ]);
  return Object.fromEntries(fields);
}

/** Returns the data of the n-th event of an append as it is stored: its personal text is sealed. */
export type Seal = (shape: StoredShape, id: string, n: number) => unknown;
/** Returns the data of the n-th event with its personal text, or what is read in its place once that is erased. */
export type Open = (event: Unopened, n: number) => unknown;

/**
 * Seals personal text in the log. Both return a promise while keys must be fetched, which rejects with
 * `EventStoreUnavailable`; keys that are at hand cost no turn of the event loop.
 */
export interface TextSeal {
  /** Prepares the sealing of an append's events. Missing keys are made, and stored before this resolves. */
  sealFor(append: Append): Seal | Promise<Seal>;
  /** Prepares the opening of events. */
  openFor(events: readonly Unopened[]): Open | Promise<Open>;
}

/** Stores text as it is. */
export const unsealed: TextSeal = {
  sealFor: () => unchanged,
  openFor: () => unchanged,
};
const unchanged = ({ data }: Pick<StoredShape, 'data'>) => data;

/** The stored form of sealed text: base64url. Text from before it was sealed is a string. */
export interface SealedText {
  sealed: string;
}
export const isSealed = (value: unknown): value is SealedText =>
  typeof value === 'object' && value !== null && typeof (value as Partial<SealedText>).sealed === 'string';
