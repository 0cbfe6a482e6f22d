import { createChatClient } from '../../../packages/chat-client/src/index.ts';

/** A program that listens to everything of a server, given by its address, that refuses everything; and then closes. */
const groupId = 'a';
const chat = createChatClient({ url: process.argv[2]!, userId: 'ada', tokens: async () => 'token' });
const lists = [chat.groups(), chat.messages(groupId), chat.members(groupId), chat.threads('job')];
for (const list of lists) list.subscribe(() => {});
chat.open();
chat.send({ groupId, text: 'Hello' });
const failed = async () => {
  while (!lists.every((list) => list.getSnapshot().status === 'failed'))
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
};
await failed();
chat.close();
