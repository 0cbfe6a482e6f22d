import { z } from 'zod';
import { GroupId, JobId, UserId } from './ids.ts';
import { text } from './text.ts';

export const GroupRole = z.enum(['admin', 'member']);
export type GroupRole = z.infer<typeof GroupRole>;

export const GroupStatus = z.enum(['open', 'closed']);
export type GroupStatus = z.infer<typeof GroupStatus>;

export const GroupName = text(1, 200);

/** Bounded by the group's members: messages live in the conversation's own stream. */
export const chatGroupEvents = {
  ChatGroupCreated: z.strictObject({
    groupId: GroupId,
    jobId: JobId.nullable(),
    name: GroupName,
    adminId: UserId,
  }),
  MemberJoined: z.strictObject({ groupId: GroupId, userId: UserId, role: GroupRole }),
  /** The member went by itself. */
  MemberLeft: z.strictObject({ groupId: GroupId, userId: UserId }),
  /** An admin, or a rejected application, removed the member. */
  MemberRemoved: z.strictObject({ groupId: GroupId, userId: UserId }),
  GroupClosed: z.strictObject({ groupId: GroupId }),
};
