/** What is used of a worker's scope: the compiler's own types of it and those of pages exclude each other. */
interface WorkerScope {
  registration: ServiceWorkerRegistration;
  clients: {
    matchAll: (options: { type: 'window'; includeUncontrolled: boolean }) => Promise<readonly WindowClient[]>;
    openWindow: (url: string) => Promise<unknown>;
  };
  addEventListener: <N extends keyof WorkerEvents>(
    name: N,
    listener: (event: WorkerEvents[N] & { waitUntil: (work: Promise<unknown>) => void }) => void,
  ) => void;
}
interface WindowClient {
  url: string;
  focus: () => Promise<unknown>;
  postMessage: (message: unknown) => void;
}
interface WorkerEvents {
  push: { data: { json: () => unknown } | null };
  notificationclick: { notification: Notification };
}
/** As docs/notifications.md describes it. */
interface Pushed {
  tag: string;
  title: string;
  body: string;
  groupId: string;
}

const worker = globalThis as unknown as WorkerScope;

worker.addEventListener('push', (event) => {
  if (!event.data) return;
  const { tag, title, body, groupId } = event.data.json() as Pushed;
  // The same tag again takes the place of the one that is shown: a push may come twice.
  event.waitUntil(worker.registration.showNotification(title, { tag, body, data: `/c/${groupId}` }));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data as string));
});

/** Shows a conversation in a window that is open, or in a new one. */
async function show(path: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find(({ url }) => new URL(url).pathname === path) ?? windows[0];
  if (!open) return void (await worker.clients.openWindow(path));
  open.postMessage({ path });
  // It may be refused, when the click was long ago.
  await open.focus().catch(() => undefined);
}
