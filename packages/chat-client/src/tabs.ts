/** What the tabs of an origin tell each other: which message one of them has taken back. */
export interface Tabs {
  tell: (clientMsgId: string) => void;
  onTold: (listener: (clientMsgId: string) => void) => void;
}

/** A page without others, or a process. */
export const alone: Tabs = { tell: () => {}, onTold: () => {} };

/** Returns the way to the tabs of a browser. */
export function usualTabs(): Tabs {
  if (typeof document === 'undefined' || typeof BroadcastChannel === 'undefined') return alone;
  const channel = new BroadcastChannel('chat-outbox');
  return {
    tell: (clientMsgId) => channel.postMessage(clientMsgId),
    onTold: (listener) =>
      channel.addEventListener('message', ({ data }: MessageEvent<string>) => listener(data)),
  };
}
