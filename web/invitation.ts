import { PATHS } from './paths.ts';
import { navigate } from './router.tsx';

const KEY = 'invitation';
/** Where the browser keeps nothing, it lasts as long as the page. */
let kept: string | undefined;

/** Takes the invitation out of the address, where the page behind a letter's link puts it: no link carries it on. */
export function takeInvitation(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get(KEY);
  if (token === null) return;
  kept = token;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // It lasts as long as the page.
  }
  history.replaceState(null, '', location.pathname + location.search);
  navigate(PATHS.invitation, { replaces: true });
}

/** Returns the invitation that somebody came with, until it is used; a reload keeps it. */
export function invitation(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? kept;
  } catch {
    return kept;
  }
}

export function forgetInvitation(): void {
  kept = undefined;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept there.
  }
}
