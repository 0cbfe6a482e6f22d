import { type ChatClient, dataOf } from 'slay-e-chat-client';

const WORKER = '/service-worker.js';
/** Where the browser keeps whose pushes it shows. */
const OWNER = 'push-owner';

/** Why a browser gets no pushes, or whether it does. */
export type PushState = 'on' | 'off' | 'unsupported' | 'insecure' | 'denied' | 'not-offered';

export async function pushState(chat: ChatClient): Promise<PushState> {
  if (!globalThis.isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator && 'PushManager' in globalThis)) return 'unsupported';
  if ((await keyOf(chat)) === null) return 'not-offered';
  if (Notification.permission === 'denied') return 'denied';
  return (await subscription()) === undefined ? 'off' : 'on';
}

const keyOf = async (chat: ChatClient) => (await dataOf(chat.rest.GET('/v1/push-key'))).publicKey;

async function subscription(): Promise<PushSubscription | undefined> {
  const workers = (navigator as Partial<Navigator>).serviceWorker;
  const registration = await workers?.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? undefined;
}

/** Asks the browser, and tells the server where it pushes to. Rejects when the browser or its user refuses. */
export async function turnPushOn(chat: ChatClient): Promise<void> {
  const applicationServerKey = await keyOf(chat);
  if ((await Notification.requestPermission()) !== 'granted') return;
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey };
  const { endpoint, keys } = (await pushManager.subscribe(options)).toJSON();
  const body = { endpoint: endpoint!, keys: { p256dh: keys!['p256dh']!, auth: keys!['auth']! } };
  await dataOf(chat.rest.POST('/v1/me/push-subscriptions', { body }));
  localStorage.setItem(OWNER, chat.user.getSnapshot()?.id ?? '');
}

/** Ends the pushes of whoever used the browser before, and did not log out: they are nobody else's to read. */
export async function endPushesOfOthers(userId: string): Promise<void> {
  const found = await subscription();
  if (found && localStorage.getItem(OWNER) !== userId) await found.unsubscribe();
}

/** The browser gets nothing from here on, whether or not the server can be told. */
export async function turnPushOff(chat: ChatClient): Promise<void> {
  const found = await subscription();
  if (!found) return;
  const { endpoint } = found;
  await found.unsubscribe();
  // The push service tells the server as well, at the next push.
  await chat.rest.DELETE('/v1/me/push-subscriptions', { body: { endpoint } }).catch(() => undefined);
}

/** Calls `go` with the path of each notification that is clicked on while the page is open. */
export function followPushes(go: (path: string) => void): void {
  const workers = (navigator as Partial<Navigator>).serviceWorker;
  workers?.addEventListener('message', ({ data }: MessageEvent<{ path: string }>) => go(data.path));
}
