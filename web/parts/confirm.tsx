import { type ReactNode, useEffect, useId, useRef } from 'react';
import { words } from '../words.ts';

/** Asks before something that cannot be undone. It takes the focus, and gives it back. */
export function Confirm({
  question,
  yes,
  onYes,
  onEnd,
}: {
  question: ReactNode;
  yes: string;
  onYes: () => void;
  onEnd: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onEnd} aria-labelledby={id}>
      <p id={id}>{question}</p>
      <form method="dialog" className="row">
        <button type="submit">{words.cancel}</button>
        <button type="submit" className="main" onClick={onYes}>
          {yes}
        </button>
      </form>
    </dialog>
  );
}
