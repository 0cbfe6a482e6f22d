import { PATHS } from './paths.ts';
import { navigate } from './router.tsx';
import { tabStorage } from './tab-storage.ts';

const KEY = 'invitation';

/** Takes the invitation out of the address, where the page behind a letter's link puts it: no link carries it on. */
export function takeInvitation(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get(KEY);
  if (token === null) return;
  tabStorage.set(KEY, token);
  history.replaceState(null, '', location.pathname + location.search);
  navigate(PATHS.invitation, { replaces: true });
}

/** Returns the invitation that somebody came with, until it is used; a reload keeps it. */
export const invitation = (): string | undefined => tabStorage.get(KEY);

export const forgetInvitation = (): void => tabStorage.remove(KEY);
