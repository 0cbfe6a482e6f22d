import { type ReactNode, useEffect, useId, useRef } from 'react';
import { words } from '../words.ts';
import { Field } from './form.tsx';

/** Returns a pattern of nothing but the text. */
const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/**
 * Asks before something that cannot be undone. It takes the focus, and gives it back. With `typed`, it goes on only after
 * somebody has typed exactly that.
 */
export function Confirm({
  question,
  yes,
  typed,
  onYes,
  onEnd,
}: {
  question: ReactNode;
  yes: string;
  typed?: { label: string; text: string } | undefined;
  onYes: () => void;
  onEnd: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  function end(): void {
    if (dialog.current?.returnValue === 'yes') onYes();
    onEnd();
  }
  return (
    <dialog ref={dialog} onClose={end} aria-labelledby={id}>
      <p id={id}>{question}</p>
      <form method="dialog" className="row">
        {typed && (
          <Field
            name="typed"
            label={typed.label}
            required
            pattern={literally(typed.text)}
            autoComplete="off"
          />
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          {words.cancel}
        </button>
        <button type="submit" value="yes" className="main">
          {yes}
        </button>
      </form>
    </dialog>
  );
}
