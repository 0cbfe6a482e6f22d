import { type ChatClient, type components, dataOf } from 'slay-e-chat-client';
import { useChat, useLoad } from '../client.tsx';

type Limits = components['schemas']['Limits'];

const asked = new WeakMap<ChatClient, Promise<Limits>>();

/** They change only when the server is started anew, so they are asked for once. */
function limitsOf(chat: ChatClient): Promise<Limits> {
  const known = asked.get(chat);
  if (known) return known;
  const asking = dataOf(chat.rest.GET('/v1/limits'));
  asked.set(chat, asking);
  asking.catch(() => asked.delete(chat));
  return asking;
}

/** Returns what the server keeps to; undefined until it has said so. It refuses what is too much in any case. */
export function useLimits(): Limits | undefined {
  const chat = useChat();
  return useLoad(() => limitsOf(chat), [chat]).data;
}
