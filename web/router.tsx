import { type ComponentProps, type MouseEvent, useSyncExternalStore } from 'react';

const MOVED = 'moved';

const subscribe = (listener: () => void) => {
  for (const name of ['popstate', MOVED]) globalThis.addEventListener(name, listener);
  return () => {
    for (const name of ['popstate', MOVED]) globalThis.removeEventListener(name, listener);
  };
};

/** Returns the path of the page and its query, and draws again when they change. */
export function useLocation(): { path: string; query: URLSearchParams } {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  const search = useSyncExternalStore(subscribe, () => location.search);
  return { path, query: new URLSearchParams(search) };
}

/** Goes to a page of this site without loading it anew. */
export function navigate(to: string, { replaces = false } = {}): void {
  if (to === location.pathname + location.search) return;
  history[replaces ? 'replaceState' : 'pushState'](null, '', to);
  globalThis.dispatchEvent(new Event(MOVED));
}

/** A link to a page of this site. */
export function Link({ to, ...rest }: { to: string } & Omit<ComponentProps<'a'>, 'href' | 'onClick'>) {
  function follow(event: MouseEvent<HTMLAnchorElement>): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  }
  return <a {...rest} href={to} onClick={follow} />;
}
