import { useEffect, useState, useSyncExternalStore } from 'react';
import { useChat, useStore } from '../client.tsx';
import { words } from '../words.ts';

const subscribe = (listener: () => void) => {
  for (const name of ['online', 'offline']) globalThis.addEventListener(name, listener);
  return () => {
    for (const name of ['online', 'offline']) globalThis.removeEventListener(name, listener);
  };
};

/** A connection that comes back within this time is nobody's business. */
const PATIENCE_MS = 1_500;

/** Says that there is no connection, and what can be done about it. */
export function Banner() {
  const chat = useChat();
  const { status } = useStore(chat.connection);
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine);
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (status === 'open') return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [status]);

  return (
    <div role="status" className="banner">
      {status === 'refused' ? (
        <p>
          {words.connection.ended}{' '}
          <button type="button" onClick={() => void chat.logOut()}>
            {words.connection.logIn}
          </button>
        </p>
      ) : !isOnline ? (
        <p>{words.connection.offline}</p>
      ) : status !== 'open' && isLong ? (
        <p>
          {words.connection.connecting}{' '}
          <button type="button" onClick={chat.breakOff}>
            {words.connection.now}
          </button>
        </p>
      ) : null}
    </div>
  );
}
