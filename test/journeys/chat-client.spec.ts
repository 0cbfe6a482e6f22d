import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ChatClient,
  type ConversationEvent,
  createChatClient,
  memoryOutbox,
  memoryStorage,
} from '../../packages/chat-client/src/index.ts';
import { Listener, textOf } from '../../tools/listener.ts';
import { type Session, call, logIn } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { type TcpProxy, startTcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';

/** Disturbances at random moments, and how many of them kill the server and its database. */
const DISTURBANCES = 100;
const KILLS = 6;
const RECOVERED_WITHIN_MS = 60_000;
const RECONNECT_MS = [50, 500] as const;

const env = {
  MESSAGES_PER_MINUTE: '1000000',
  REQUESTS_PER_MINUTE: '1000000',
  LOGINS_PER_MINUTE: '1000000',
  HEADS_INTERVAL_MS: '500',
  ACCESS_TOKEN_SECONDS: '10',
  LOG_LEVEL: 'info',
};

/** A browser: what its tabs share. */
interface Browser {
  name: string;
  email: string;
  password: string;
  storage: ReturnType<typeof oneSession>;
  outbox: ReturnType<typeof memoryOutbox>;
}

/** The session of a browser, whose tabs reach the server at different ports here. */
function oneSession() {
  const storage = memoryStorage();
  const key = 'the session';
  return {
    getItem: () => storage.getItem(key),
    setItem: (_: string, value: string) => storage.setItem(key, value),
    removeItem: () => storage.removeItem(key),
  };
}

/** A tab. A reload ends its client, and the next one has what the browser kept. */
class Tab {
  readonly name: string;
  readonly written: string[] = [];
  readonly faults: string[] = [];
  readonly #browser: Browser;
  readonly #proxy: TcpProxy;
  readonly #groupId: string;
  chat!: ChatClient;
  #leave = () => {};
  #last = 0;

  constructor(name: string, browser: Browser, { proxy, groupId }: { proxy: TcpProxy; groupId: string }) {
    this.name = name;
    this.#browser = browser;
    this.#proxy = proxy;
    this.#groupId = groupId;
    this.reload();
  }

  reload(): void {
    this.#leave();
    this.chat?.close();
    const { storage, outbox } = this.#browser;
    const url = `http://127.0.0.1:${this.#proxy.port}`;
    this.chat = createChatClient({ url, storage, outbox, reconnectMs: RECONNECT_MS });
    this.#last = 0;
    const ends = [
      this.chat.events((event) => this.#hear(event)),
      this.chat.messages(this.#groupId).subscribe(() => {}),
      this.chat.groups().subscribe(() => {}),
    ];
    this.#leave = () => ends.forEach((end) => end());
    if (this.chat.user.getSnapshot()) this.chat.open();
  }

  logIn(): Promise<unknown> {
    const { email, password } = this.#browser;
    return this.chat.logIn({ email, password });
  }

  write(): void {
    const text = `${this.name} ${this.written.length}`;
    this.written.push(text);
    const { done } = this.chat.send({ groupId: this.#groupId, text });
    done.catch((error: Error) => this.faults.push(`${text}: ${error.message}`));
  }

  /** Each life of a tab is told everything from its beginning on, once and in order. */
  #hear({ seq, groupId }: ConversationEvent): void {
    if (groupId !== this.#groupId) return;
    if (this.#last > 0 && seq !== this.#last + 1) this.faults.push(`${this.#last} is followed by ${seq}`);
    this.#last = seq;
  }

  cut = () => this.#proxy.cut();

  async silence(): Promise<void> {
    this.#proxy.blackHole();
    await pause(50 + Math.random() * 500);
    this.#proxy.heal();
  }

  /** Closes the page without a line, writes in the next one, and gets the line back. */
  async reloadOffline(): Promise<void> {
    this.#proxy.blackHole();
    this.reload();
    for (let n = 0; n < 3; n += 1) this.write();
    this.reload();
    this.write();
    await pause(50 + Math.random() * 200);
    this.#proxy.heal();
    this.#proxy.cut();
  }

  close(): void {
    this.#leave();
    this.chat.close();
  }
}

describe('the client of this repository', () => {
  test(`loses, repeats and reorders nothing over ${DISTURBANCES} disconnects, reloads and kills`, async () => {
    const port = await freePort();
    let server: ServerProcess = await startServer({ port, env });
    const { dataDir } = server;
    const tabs: Tab[] = [];
    const proxies: TcpProxy[] = [];
    try {
      const browser = (name: string): Browser => ({
        name,
        ...{ email: `${randomUUID()}@example.test`, password: randomUUID() },
        ...{ storage: oneSession(), outbox: memoryOutbox() },
      });
      const [acme, ada] = [browser('Acme'), browser('Ada')];
      for (const { name, email, password } of [acme, ada]) {
        const role = name === 'Acme' ? 'company' : 'applicant';
        await call(server.url, 'POST', '/v1/auth/register', {
          body: { role, displayName: name, email, password },
        });
      }
      const session: Session = await logIn(server.url, acme.email, acme.password);
      const { jobId, groupId } = await call<{ jobId: string; groupId: string }>(
        server.url,
        'POST',
        '/v1/jobs',
        {
          token: session.accessToken,
          body: { title: 'Engineer', description: 'Builds engines' },
        },
      );
      const { accessToken: token } = await logIn(server.url, ada.email, ada.password);
      await call(server.url, 'POST', `/v1/jobs/${jobId}/applications`, { token, body: {} });

      for (const [name, who] of [
        ['left', ada],
        ['right', ada],
        ['office', acme],
      ] as const) {
        const proxy = await startTcpProxy({ to: port });
        proxies.push(proxy);
        tabs.push(new Tab(name, who, { proxy, groupId }));
      }
      await tabs[0]!.logIn();
      tabs[1]!.reload();
      await tabs[2]!.logIn();
      await Promise.all(tabs.map(({ chat }) => chat.opened()));

      let isOver = false;
      const writing = tabs.map(async (tab) => {
        for (; !isOver; await pause(10 + Math.random() * 40)) tab.write();
      });
      const kills = new Set(
        Array.from({ length: KILLS }, (_, n) => Math.floor(((n + 0.5) * DISTURBANCES) / KILLS)),
      );
      for (let n = 0; n < DISTURBANCES; n += 1) {
        await pause(Math.random() * 150);
        const tab = tabs[n % tabs.length]!;
        if (kills.has(n)) {
          await server.killTree();
          server = await startServer({ port, dataDir, env });
          continue;
        }
        const what = [
          async () => tab.cut(),
          () => tab.silence(),
          async () => tab.reload(),
          () => tab.reloadOffline(),
        ];
        await what[Math.floor(Math.random() * what.length)]!();
      }
      isOver = true;
      await Promise.all(writing);

      // A message that a reload took over from its page is known by the browser's outbox alone.
      const left = async () =>
        (await Promise.all([acme, ada].map(({ outbox }) => outbox.all(ownerOf(outbox))))).flat();
      const ownerOf = (outbox: Browser['outbox']) =>
        (outbox === acme.outbox ? tabs[2]! : tabs[0]!).chat.user.getSnapshot()!.id;
      await until(async () => (await left()).length === 0, 'the outboxes to be empty', RECOVERED_WITHIN_MS);

      const written = tabs.flatMap((tab) => tab.written);
      const reader = await new Listener(await logIn(server.url, acme.email, acme.password)).connect();
      await until(
        () => reader.view(groupId).length >= written.length,
        'the log to be read',
        RECOVERED_WITHIN_MS,
      );
      const log = reader.view(groupId);
      reader.close();
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      const texts = log.map(textOf);
      expect(texts.toSorted()).toEqual(written.toSorted());
      for (const tab of tabs)
        expect(texts.filter((text) => text!.startsWith(`${tab.name} `))).toEqual(tab.written);
      expect(tabs.flatMap(({ faults }) => faults)).toEqual([]);

      for (const { chat } of tabs) {
        const window = chat.messages(groupId);
        await until(
          () => window.getSnapshot().headSeq === log.length,
          'the window to reach the end',
          RECOVERED_WITHIN_MS,
        );
        const { messages, pending } = window.getSnapshot();
        expect(messages.map(({ text }) => text)).toEqual(texts.slice(-messages.length));
        expect(messages.length).toBeGreaterThan(0);
        expect(pending).toEqual([]);
        const row = () => chat.groups().getSnapshot().items[0];
        await until(() => row()?.headSeq === log.length, 'the list of groups', RECOVERED_WITHIN_MS);
        expect(row()).toMatchObject({ groupId, lastMessage: { text: texts.at(-1) } });
      }
    } finally {
      for (const tab of tabs) tab.close();
      for (const proxy of proxies) await proxy.close();
      await server.killTree();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 300_000);
});
