import { randomUUID } from 'node:crypto';
import type { Member } from './member.ts';

type Visitor = Pick<Member, 'userId' | 'groupId'>;

const heads = new Map<string, number>();

/** Returns the user and the group that the token of a member of a bare server names. */
export const visitorOf = (token: string) => JSON.parse(token) as Visitor;

/** Returns what a member is told on entering. */
export const joinRoom = ({ groupId }: Visitor) => ({ groupId, headSeq: heads.get(groupId) ?? 0 });

/** Returns the ack and the envelope of a message, in the form of the project's; nothing is stored or checked. */
export function sent({ userId, groupId }: Visitor, message: { clientMsgId: string; text: string }) {
  const { clientMsgId, text } = message;
  const seq = (heads.get(groupId) ?? 0) + 1;
  heads.set(groupId, seq);
  const occurredAt = new Date().toISOString();
  const messageId = randomUUID();
  const data = { groupId, messageId, senderId: userId, clientMsgId, text, fileIds: [], replyTo: null };
  return {
    envelope: {
      id: randomUUID(),
      type: 'MessageSent',
      v: 1,
      groupId,
      seq,
      occurredAt,
      actorId: userId,
      data,
    },
    ack: { ok: true, messageId, seq, occurredAt, duplicate: false, position: String(seq) },
  };
}
