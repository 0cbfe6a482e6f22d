import { type ChatClient, createChatClient } from '../packages/chat-client/src/index.ts';

/** One member of one group, who presents the token at the handshake. */
export interface Member {
  userId: string;
  groupId: string;
  token: string;
}

/** Opens a client. Resolves once it is in the room of a group; rejects when the server refuses it. */
export function arrive(chat: ChatClient, groupId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = chat.on('joinRoom', (room) => {
      if (room.groupId !== groupId) return;
      forget();
      resolve();
    });
    chat.open();
    chat.opened().catch(reject);
  });
}

/** Connects a member. Resolves once the client is in the room of its group; rejects when the server refuses it. */
export async function enter(url: string, { userId, groupId, token }: Member): Promise<ChatClient> {
  const chat = createChatClient({ url, userId, tokens: async () => token });
  await arrive(chat, groupId);
  return chat;
}
