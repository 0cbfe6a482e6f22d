import { useEffect } from 'react';
import { type Loaded, useLoad } from '../client.tsx';

/** Loads something, and again every so many milliseconds while somebody looks at the page. */
export function useWatch<T>(load: () => Promise<T>, everyMs: (data: T | undefined) => number): Loaded<T> {
  const loaded = useLoad(load, []);
  const { data, reload } = loaded;
  const pause = everyMs(data);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, pause);
    return () => clearInterval(timer);
  }, [pause, reload]);
  return loaded;
}
