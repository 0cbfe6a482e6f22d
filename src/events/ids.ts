import { z } from 'zod';

const recorded = z.uuid({ abort: true }).toLowerCase();
/** Ids that a client sends when it has forgotten to set one. */
const NAMELESS = /^(?:[0-]{36}|[f-]{36})$/;
const id = recorded
  .refine((value) => !NAMELESS.test(value), 'Must not be the nil or the max UUID')
  .meta({
    pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$',
  });

export const UserId = id.brand<'UserId'>();
export const JobId = id.brand<'JobId'>();
export const ApplicationId = id.brand<'ApplicationId'>();
export const GroupId = id.brand<'GroupId'>();
export const MessageId = id.brand<'MessageId'>();
export const NoteId = id.brand<'NoteId'>();
export const FileId = id.brand<'FileId'>();
export const GrantId = id.brand<'GrantId'>();
export const HoldId = id.brand<'HoldId'>();
export const ErasureId = id.brand<'ErasureId'>();
export const InvitationId = id.brand<'InvitationId'>();
export const ActId = id.brand<'ActId'>();
/** Chosen by the client. Together with the sender it identifies a message, or a note, permanently. */
export const ClientMsgId = id.brand<'ClientMsgId'>();

/** An id chosen by a client, including ids that were accepted under earlier rules. */
export const RecordedClientMsgId = recorded.brand<'ClientMsgId'>();
export const RecordedGroupId = recorded.brand<'GroupId'>();

export type UserId = z.infer<typeof UserId>;
export type JobId = z.infer<typeof JobId>;
export type ApplicationId = z.infer<typeof ApplicationId>;
export type GroupId = z.infer<typeof GroupId>;
export type MessageId = z.infer<typeof MessageId>;
export type NoteId = z.infer<typeof NoteId>;
export type FileId = z.infer<typeof FileId>;
export type GrantId = z.infer<typeof GrantId>;
export type HoldId = z.infer<typeof HoldId>;
export type ErasureId = z.infer<typeof ErasureId>;
export type InvitationId = z.infer<typeof InvitationId>;
export type ActId = z.infer<typeof ActId>;
export type ClientMsgId = z.infer<typeof ClientMsgId>;
