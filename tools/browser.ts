import { type Browser, type BrowserContext, type LaunchOptions, chromium } from 'playwright-core';
import { program } from './debian-programs.ts';
import type { Session } from './rest.ts';

/** Returns what starts Chromium, the system's or the downloaded one. */
export function chromiumOptions(): LaunchOptions {
  const { command, env } = program('chromium-headless-shell');
  return {
    executablePath: command,
    // Its sandbox does not work as root, and the pages are our own.
    args: ['--no-sandbox'],
    env: { ...(process.env as Record<string, string>), ...env },
  };
}

export const openBrowser = (): Promise<Browser> => chromium.launch(chromiumOptions());

/** Logs somebody in on all pages of a context, as if it had been done on a page before. */
export async function keepLoggedIn(
  context: BrowserContext,
  { url, userId, accessToken, refreshToken }: Session,
  { role, displayName }: { role: string; displayName: string },
): Promise<void> {
  const user = { id: userId, role, displayName };
  const session = { user, accessToken, refreshToken, renewAt: Number.MAX_SAFE_INTEGER };
  await context.addInitScript(
    ([key, value]) => localStorage.setItem(key!, value!),
    [`chat-session ${url}`, JSON.stringify(session)],
  );
}
