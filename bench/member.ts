import { type ChatClient, createChatClient } from '../packages/chat-client/src/index.ts';

/** One member of one group, who presents the token at the handshake. */
export interface Member {
  userId: string;
  groupId: string;
  token: string;
}

/** Connects a member. Resolves once the client is in the room of its group; rejects when the server refuses it. */
export async function enter(url: string, { userId, groupId, token }: Member): Promise<ChatClient> {
  const chat = createChatClient({ url, userId, tokens: async () => token });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  chat.on('joinRoom', (room) => {
    if (room.groupId === groupId) resolve();
  });
  chat.open();
  chat.opened().catch(reject);
  await promise;
  return chat;
}
