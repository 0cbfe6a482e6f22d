const memory = new Map<string, string>();

/** What a tab keeps over a reload. Where the browser keeps nothing, it lasts as long as the page. */
export const tabStorage = {
  get(key: string): string | undefined {
    try {
      return sessionStorage.getItem(key) ?? memory.get(key);
    } catch {
      return memory.get(key);
    }
  },
  set(key: string, value: string): void {
    memory.set(key, value);
    try {
      sessionStorage.setItem(key, value);
    } catch {
      // It lasts as long as the page.
    }
  },
  remove(key: string): void {
    memory.delete(key);
    try {
      sessionStorage.removeItem(key);
    } catch {
      // Nothing was kept there.
    }
  },
};
