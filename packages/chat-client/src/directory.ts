import { type Store, createStore } from './store.ts';
import { backOff, pause } from './waiting.ts';

/** What is known of people or files, by their ids. Those asked for in one turn are looked up together. */
export interface Directory<T> extends Store<ReadonlyMap<string, T>> {
  /** Returns what is known, and looks up what is not: the store changes once it is found. */
  get: (id: string) => T | undefined;
  learn: (entries: Iterable<readonly [id: string, value: T]>) => void;
  /** Looks up again what may have changed, of what is known or looked for. */
  refresh: (ids: Iterable<string>) => void;
  /** Forgets everything: it was another user's to know. */
  forget: () => void;
}

const MOST_IDS = 100;
const TRIES = 3;

/** `find` resolves with those of up to 100 ids that the caller may know of. */
export function createDirectory<T>(find: (ids: string[]) => Promise<(readonly [string, T])[]>): Directory<T> {
  const entries = createStore<ReadonlyMap<string, T>>(new Map());
  /** Wanted and not found yet, or never: nobody asks twice. */
  const asked = new Set<string>();
  let waiting: string[] = [];
  let version = 0;

  function learn(found: Iterable<readonly [string, T]>): void {
    const known = entries.getSnapshot();
    const news = [...found].filter(([id, value]) => known.get(id) !== value);
    if (news.length > 0) entries.set(new Map([...known, ...news]));
  }

  /** What is new may be told of before it can be found, so what is missing is looked for again. */
  async function look(wanted: string[]): Promise<void> {
    const mine = version;
    let missing = wanted;
    for (let tries = 0; ; tries += 1) {
      const found = await find(missing).catch(() => undefined);
      if (mine !== version) return;
      if (found) {
        learn(found);
        const ids = new Set(found.map(([id]) => id));
        missing = missing.filter((id) => !ids.has(id));
      }
      if (missing.length === 0) return;
      if (tries + 1 === TRIES) {
        // Without an answer it may be asked for again.
        if (!found) for (const id of missing) asked.delete(id);
        return;
      }
      await pause(backOff(tries));
    }
  }

  function want(id: string): void {
    if (waiting.push(id) > 1) return;
    queueMicrotask(() => {
      const ids = [...new Set(waiting)];
      waiting = [];
      for (let at = 0; at < ids.length; at += MOST_IDS) void look(ids.slice(at, at + MOST_IDS));
    });
  }

  return {
    ...entries,
    learn,
    get(id) {
      const known = entries.getSnapshot().get(id);
      if (known === undefined && !asked.has(id)) {
        asked.add(id);
        want(id);
      }
      return known;
    },
    forget() {
      version += 1;
      waiting = [];
      asked.clear();
      entries.set(new Map());
    },
    refresh(ids) {
      for (const id of ids) if (asked.has(id) || entries.getSnapshot().has(id)) want(id);
    },
  };
}
