import { createRoot } from 'react-dom/client';
import { createChatClient } from 'slay-e-chat-client';
import { App } from './app.tsx';
import { ChatProvider } from './client.tsx';
import { takeInvitation } from './invitation.ts';
import { endPushesOfOthers, followPushes } from './push.ts';
import { navigate } from './router.tsx';
import { words } from './words.ts';

const chat = createChatClient();
if (chat.user.getSnapshot()) chat.open();
takeInvitation();
globalThis.addEventListener('hashchange', takeInvitation);
followPushes(navigate);
chat.user.subscribe((user) => {
  if (user) void endPushesOfOthers(user.id).catch(() => undefined);
});

document.documentElement.lang = words.language;
document.documentElement.dir = words.direction;
createRoot(document.querySelector('#app')!).render(
  <ChatProvider value={chat}>
    <App />
  </ChatProvider>,
);
