import { createRoot } from 'react-dom/client';
import { createChatClient } from 'slay-e-chat-client';
import { App } from './app.tsx';
import { ChatProvider } from './client.tsx';
import { words } from './words.ts';

const chat = createChatClient();
if (chat.user.getSnapshot()) chat.open();

document.documentElement.lang = words.language;
document.documentElement.dir = words.direction;
createRoot(document.querySelector('#app')!).render(
  <ChatProvider value={chat}>
    <App />
  </ChatProvider>,
);
