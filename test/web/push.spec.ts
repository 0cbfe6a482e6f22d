import type { Browser } from 'playwright-core';
import webPush from 'web-push';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { openBrowser } from '../support/web/browser.ts';
import { type Someone, applyFor, postJob, signUp, writing } from '../support/web/people.ts';

/** The browser of the tests subscribes to nothing, and says so. */
const isExpected = (fault: string) => fault.includes('does not support the Push API');

describe('Push messages', () => {
  let server: ServerProcess;
  let browser: Browser;
  let ada: Someone;
  let thread: string;
  beforeAll(async () => {
    const { publicKey, privateKey } = webPush.generateVAPIDKeys();
    const env = {
      VAPID_PUBLIC_KEY: publicKey,
      VAPID_PRIVATE_KEY: privateKey,
      VAPID_SUBJECT: 'mailto:ops@example.org',
    };
    [server, browser] = await Promise.all([startServer({ env }), openBrowser()]);
    const acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Engineer', 'private');
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Engineer', 'I build engines.');
    thread = new URL(ada.page.url()).pathname;
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect(ada.faults.filter((fault) => !isExpected(fault))).toEqual([]));

  test('are explained where the browser has no leave for them', async () => {
    const { page } = ada;
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('You have refused notifications of this site.').waitFor();
    expect(await page.getByRole('button', { name: 'Turn push messages on' }).count()).toBe(0);
  });

  test('are explained where the browser cannot subscribe', async () => {
    const { page } = ada;
    await page.context().grantPermissions(['notifications']);
    // A browser without a window says no, whatever it was allowed.
    await page.addInitScript(() => Object.defineProperty(Notification, 'permission', { value: 'granted' }));
    await page.reload();
    await page.getByText('This browser shows no push messages.').waitFor();
    await page.getByRole('button', { name: 'Turn push messages on' }).dblclick();
    await page.getByRole('alert').getByText('it has no push service, or refuses them').waitFor();
  });

  test('are shown by the service worker, and lead to the conversation', async () => {
    const { page } = ada;
    const session = await page.context().newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const found = registrations.find(({ scopeURL }) => scopeURL === `${server.url}/`);
        if (found) resolve(found.registrationId);
      });
    });
    await session.send('ServiceWorker.enable');
    const registrationId = await registered;
    const [worker] = page.context().serviceWorkers();
    // There is nowhere to show them, so this takes what would be shown.
    await worker!.evaluate(() => {
      const scope = globalThis as unknown as WorkerScope;
      scope.shown = [];
      scope.registration.showNotification = async (title, { tag, body, data }) =>
        void scope.shown.push({ title, tag, body, data });
    });
    const shown = () => worker!.evaluate(() => (globalThis as unknown as WorkerScope).shown);
    const groupId = thread.split('/').at(-1)!;
    const text = { tag: 'a', title: 'Acme', body: 'When can you come?' };
    await session.send('ServiceWorker.deliverPushMessage', {
      ...{ origin: server.url, registrationId, data: JSON.stringify({ ...text, groupId }) },
    });
    await until(async () => (await shown()).length > 0, 'a notification');
    expect(await shown()).toEqual([{ ...text, data: thread }]);

    await worker!.evaluate(() => {
      const scope = globalThis as unknown as WorkerScope;
      const notification = { ...scope.shown[0], close: () => scope.shown.pop() };
      const clicked = Object.assign(new scope.ExtendableEvent('notificationclick'), { notification });
      scope.dispatchEvent(clicked);
    });
    await writing(page).waitFor();
    expect(new URL(page.url()).pathname).toBe(thread);
    expect(await shown()).toEqual([]);
  });
});

type Shown = Record<'title' | 'tag' | 'body' | 'data', unknown>;
interface WorkerScope {
  shown: Shown[];
  registration: { showNotification: (title: string, options: Omit<Shown, 'title'>) => Promise<void> };
  dispatchEvent: (event: Event) => void;
  ExtendableEvent: new (name: string) => Event;
}
