import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type BrowserContext, type CDPSession, type Page, chromium } from 'playwright-core';
import type { UserId } from '../src/events/ids.ts';
import { chromiumOptions, keepLoggedIn } from '../tools/browser.ts';
import { ChatProblem, call } from '../tools/rest.ts';
import { until } from '../tools/until.ts';
import { type Bench, type BenchOptions, type Result, inFlight, median, quantile, round } from './bench.ts';
import { framesWhile } from './frames.ts';
import { enter } from './member.ts';
import { temporaryFolder } from './postgres.ts';
import { type RunningServer, startFilledServer } from './running-server.ts';
import { type World, fillConversation, makeWorld } from './world.ts';

const MEMBERS = 10;
/** Of the conversation to which the long one is compared. */
const SHORT = 10;
const FIRST_VIEW_MS = 1_000;
const FRAMES_PER_SECOND = 50;
const GROWTH = 1.1;
const CAUGHT_UP_MS = 300_000;
const WINDOW = { width: 1_280, height: 800 };
/** A wheel that somebody turns quickly: a notch is 100 pixels. */
const NOTCH = { pixels: 100, everyMs: 25 };
/** Messages on their way at once while the page is watched. */
const LIVE_IN_FLIGHT = 8;
const WORDS = 'A line as people write it in a chat, now and then with a second sentence. ';

type Running = RunningServer<World['groups']>;

/** What a page of the conversation is opened with. */
interface Visit {
  running: Running;
  group: World['groups'][number];
  userId: UserId;
}

/** Opens a browser with a profile on disk, in which somebody is logged in. */
async function openProfile(folder: string, { running, userId }: Visit): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(folder, { ...chromiumOptions(), viewport: WINDOW });
  const accessToken = await running.tokenOf(userId);
  const { url } = running.server;
  const member = { role: 'applicant', displayName: 'Member' };
  await keepLoggedIn(context, { url, userId, accessToken, refreshToken: '' }, member);
  return context;
}

async function read({ running: { server, tokenOf }, group, userId }: Visit, seq: number): Promise<void> {
  const token = await tokenOf(userId);
  const path = `/v1/groups/${group.groupId}/read`;
  const isRead = () =>
    call(server.url, 'PUT', path, { token, body: { seq } }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ChatProblem && error.retryable) return false;
        throw error;
      },
    );
  await until(isRead, 'the read models have caught up', CAUGHT_UP_MS);
}

/** Goes to a conversation. Resolves with the milliseconds from the navigation until a message is painted. */
async function view(page: Page, { running, group }: Visit, seq: number): Promise<number> {
  await page.addInitScript((last) => {
    const look = (): void => {
      const box = document.querySelector('.messages')?.getBoundingClientRect();
      const found = document.querySelector(`article[data-seq="${last}"]`)?.getBoundingClientRect();
      const isSeen = box && found && found.top >= box.top && found.bottom <= box.bottom;
      // The frame after the next one begins once this one has been painted.
      if (!isSeen) requestAnimationFrame(look);
      else requestAnimationFrame(() => performance.mark('seen'));
    };
    requestAnimationFrame(look);
  }, seq);
  await page.goto(`${running.server.url}/c/${group.groupId}`);
  const marks = await page.waitForFunction(() => performance.getEntriesByName('seen')[0]?.startTime);
  return (await marks.jsonValue()) as number;
}

/** Measures the first view in a new profile, and in one that has seen it before, after a start of the browser. */
async function firstViews(visit: Visit, seq: number, samples: number) {
  const times: Record<'cold' | 'warm', number[]> = { cold: [], warm: [] };
  for (let count = 0; count < samples; count += 1) {
    const folder = await temporaryFolder();
    for (const profile of ['cold', 'warm'] as const) {
      const context = await openProfile(folder, visit);
      try {
        times[profile].push(await view(context.pages()[0]!, visit, seq));
      } finally {
        await context.close();
      }
    }
    await rm(folder, { recursive: true, force: true });
  }
  return times;
}

async function compareFirstViews(
  long: Visit,
  short: Visit,
  messages: number,
  { quick, say }: BenchOptions,
): Promise<Result[]> {
  const samples = quick ? 3 : 7;
  const [own, other] = [await firstViews(long, messages, samples), await firstViews(short, SHORT, samples)];
  return (['cold', 'warm'] as const).map((profile) => {
    const [project, peer] = [median(own[profile]), median(other[profile])];
    say(`pages: first view, ${profile} profile ${round(project)} ms, ${round(peer)} with ${SHORT} messages`);
    return {
      ...{ bench: 'pages', case: `first view, ${profile} profile`, unit: 'ms' },
      ...{ project: round(project, 1), peer: round(peer, 1), ratio: round(project / peer) },
      ...{ target: FIRST_VIEW_MS, rule: 'project <= target', ok: project <= FIRST_VIEW_MS },
      p95: round(quantile(own[profile], 0.95), 1),
      samples,
    };
  });
}

/** Turns the wheel upwards for some time. */
async function turnWheel(page: Page, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  await page.mouse.move(WINDOW.width / 1.5, WINDOW.height / 2);
  while (performance.now() < end) {
    const next = performance.now() + NOTCH.everyMs;
    await page.mouse.wheel(0, -NOTCH.pixels);
    await page.waitForTimeout(Math.max(0, next - performance.now()));
  }
}

/** What every browser can do on this machine: the same wheel on a page of text without a script. */
async function bareScroll(context: BrowserContext, milliseconds: number) {
  const page = await context.newPage();
  const lines = Array.from({ length: 400 }, (_, line) => `<p>${line} ${WORDS.repeat(1 + (line % 4))}</p>`);
  await page.setContent(
    `<div style="height:700px;overflow-y:scroll"><div>${lines.join('').repeat(5)}</div></div>`,
  );
  await page
    .locator('div')
    .first()
    .evaluate((box) => (box.scrollTop = box.scrollHeight));
  const frames = await framesWhile(page, () => turnWheel(page, milliseconds));
  await page.close();
  return frames;
}

async function scrolling(page: Page, milliseconds: number, { say }: BenchOptions): Promise<Result> {
  const peer = await bareScroll(page.context(), milliseconds);
  await page.bringToFront();
  const seen = () =>
    page
      .locator('article[data-seq]')
      .first()
      .evaluate((article) => Number(article.dataset['seq']));
  const before = await seen();
  const frames = await framesWhile(page, () => turnWheel(page, milliseconds));
  const passed = before - (await seen());
  say(
    `pages: ${round(frames.perSecond, 1)} frames/s over ${passed} messages, p95 ${round(frames.p95Ms, 1)} ms, ` +
      `${frames.dropped} dropped, ${frames.partial} partial; a bare page ${round(peer.perSecond, 1)}`,
  );
  return {
    ...{ bench: 'pages', case: 'scroll', unit: 'frames/s' },
    ...{ project: round(frames.perSecond, 1), peer: round(peer.perSecond, 1) },
    ...{ ratio: round(frames.perSecond / peer.perSecond), target: FRAMES_PER_SECOND },
    ...{ rule: 'project >= target', ok: frames.perSecond >= FRAMES_PER_SECOND && passed > 0 },
    ...{ p95Ms: round(frames.p95Ms, 1), dropped: frames.dropped, partial: frames.partial },
    ...{ peerP95Ms: round(peer.p95Ms, 1), peerDropped: peer.dropped, passed },
  };
}

interface Held {
  heap: number;
  nodes: number;
}

/** Returns what a page holds once its garbage is collected. */
async function held(session: CDPSession): Promise<Held> {
  for (let turn = 0; turn < 3; turn += 1) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  return { heap: usedSize, nodes };
}

/** Lets others talk while the page is open at its end, and compares what it holds early and late. */
async function listening(
  page: Page,
  visit: Visit,
  from: number,
  { quick, say }: BenchOptions,
): Promise<Result[]> {
  const [early, late] = quick ? [1_000, 3_000] : [1_000, 10_000];
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  const userId = visit.group.members[1]!;
  const { groupId } = visit.group;
  const token = await visit.running.tokenOf(userId);
  const chat = await enter(visit.running.server.url, { userId, groupId, token });
  let said = 0;
  async function talkUntil(count: number): Promise<Held> {
    const numbers = Array.from({ length: count - said }, (_, index) => said + index);
    await inFlight(LIVE_IN_FLIGHT, numbers, async (index) => {
      await chat.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: textOf(index) });
    });
    said = count;
    await page.locator(`article[data-seq="${from + said}"]`).waitFor();
    return held(session);
  }
  const begun = await held(session);
  const [first, last] = [await talkUntil(early), await talkUntil(late)];
  chat.close();
  const line = (name: string, unit: string, of: (state: Held) => number): Result => {
    const [project, peer] = [of(last), of(first)];
    say(
      `pages: ${name} ${of(begun)} ${unit} before, ${peer} after ${early} messages, ${project} after ${late}`,
    );
    return {
      ...{ bench: 'pages', case: name, project, peer, ratio: round(project / peer), unit },
      ...{ target: GROWTH, rule: 'ratio <= target', ok: project / peer <= GROWTH },
      ...{ before: of(begun), said: { early, late } },
    };
  };
  return [
    line('live, heap', 'MiB', ({ heap }) => round(heap / 1_048_576)),
    line('live, nodes', 'nodes', ({ nodes }) => nodes),
  ];
}

const textOf = (index: number) => `${index} ${WORDS.repeat(1 + (index % 4))}`;

/** Measures the page of a conversation in Chromium: how soon it is there, how it scrolls, and what it holds. */
export const pages: Bench = {
  name: 'pages',
  isForItself: true,
  async run(options) {
    const messages = options.quick ? 20_000 : 100_000;
    const running = await startFilledServer(async (store) => {
      const { groups } = await makeWorld(store, { groups: 2, members: MEMBERS });
      await fillConversation(store, groups[0]!, messages, textOf);
      await fillConversation(store, groups[1]!, SHORT, textOf);
      return groups;
    });
    const [group, small] = running.filled as [World['groups'][number], World['groups'][number]];
    const visit = { running, group, userId: group.members[2]! };
    const short = { running, group: small, userId: small.members[2]! };
    const folder = await temporaryFolder();
    let context: BrowserContext | undefined;
    try {
      // Whoever has read everything sees the newest messages first.
      await read(visit, messages);
      await read(short, SHORT);
      options.say(`pages: ${messages} messages loaded and shown`);
      const views = await compareFirstViews(visit, short, messages, options);
      context = await openProfile(folder, visit);
      const page = context.pages()[0]!;
      await view(page, visit, messages);
      const scroll = await scrolling(page, options.quick ? 3_000 : 8_000, options);
      await view(page, visit, messages);
      const live = await listening(page, visit, messages, options);
      return [...views, scroll, ...live].map((result) => ({ ...result, messages }));
    } finally {
      await context?.close();
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
