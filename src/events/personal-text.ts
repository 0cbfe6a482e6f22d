import type { EventOf, EventType } from './domain-event.ts';
import type { Metadata } from './event-store.ts';

interface PersonalText<T extends EventType> {
  /** The fields that contain personal text: what a person wrote, is called, or is told. */
  fields: readonly (keyof EventOf<T>['data'])[];
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
  MessageSent: { fields: ['text'], of: ({ data }) => data.senderId },
  // Only the sender edits a message.
  MessageEdited: { fields: ['text'], of: ({ metadata }) => metadata.actorId },
  FileUploadRequested: { fields: ['name'], of: ofUploader },
  FileCleared: { fields: ['name'], of: ofUploader },
};
