import { type ReactNode, createContext, useCallback, useContext, useState } from 'react';

const Announce = createContext<(text: string) => void>(() => {});

/** Returns a function that says something to screen readers, without anything to see. */
export const useAnnounce = () => useContext(Announce);

/** What is around everything that wants to say something. */
export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: '', turn: 0 });
  const announce = useCallback((text: string) => setSaid(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <Announce value={announce}>
      {children}
      <div className="hidden" role="log" aria-live="polite" aria-relevant="additions">
        {/* Another element each time, or the same words twice would be said once. */}
        <p key={said.turn}>{said.text}</p>
      </div>
    </Announce>
  );
}
