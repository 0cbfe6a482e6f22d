import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import type axeCore from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export { openBrowser } from '../../../tools/browser.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the guidelines demand on the level AA, and what else is good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Failed requests are reported by the browser too; those of a line that a test has cut are no fault. */
const CUT = /net::ERR_INTERNET_DISCONNECTED|net::ERR_CONNECTION_|WebSocket connection to/;

/** Somebody with a browser profile of its own. */
export interface Visitor {
  page: Page;
  /** What the browser complained about: errors, refused scripts and styles, broken rules of the policy. */
  faults: string[];
  /** Cuts the line, also the one of the socket, and mends it. */
  setOffline: (isOffline: boolean) => Promise<void>;
}

export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: url, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error.stack)));
  page.on('console', (said) => {
    const isBad = said.type() === 'error' || said.type() === 'warning';
    if (isBad && !CUT.test(said.text())) faults.push(`${said.text()} at ${said.location().url}`);
  });
  await page.goto('/');
  const session = await context.newCDPSession(page);
  return {
    page,
    faults,
    async setOffline(isOffline) {
      // Chromium lets a socket live that is open already, unless the network of the page is emulated as well.
      await context.setOffline(isOffline);
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions', {
        offline: isOffline,
        ...{ latency: 0, downloadThroughput: -1, uploadThroughput: -1 },
      });
    },
  };
}

/** Returns what axe finds wrong with the page. */
export async function barriers(page: Page): Promise<string[]> {
  // Not a script of the page, so its policy has nothing to say about it.
  await page.evaluate(axe);
  return page.evaluate(async (values) => {
    const { axe: checker } = globalThis as unknown as { axe: typeof axeCore };
    const { violations } = await checker.run({ runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, RULES);
}
