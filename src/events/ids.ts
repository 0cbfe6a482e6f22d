import { z } from 'zod';

const id = z.uuid().toLowerCase();

export const UserId = id.brand<'UserId'>();
export const JobId = id.brand<'JobId'>();
export const ApplicationId = id.brand<'ApplicationId'>();
export const GroupId = id.brand<'GroupId'>();
export const MessageId = id.brand<'MessageId'>();
export const FileId = id.brand<'FileId'>();
/** Made by the client; with the sender it names a message for ever. */
export const ClientMsgId = id.brand<'ClientMsgId'>();

export type UserId = z.infer<typeof UserId>;
export type JobId = z.infer<typeof JobId>;
export type ApplicationId = z.infer<typeof ApplicationId>;
export type GroupId = z.infer<typeof GroupId>;
export type MessageId = z.infer<typeof MessageId>;
export type FileId = z.infer<typeof FileId>;
export type ClientMsgId = z.infer<typeof ClientMsgId>;
