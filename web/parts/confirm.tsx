import type { ReactNode } from 'react';
import { words } from '../words.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './form.tsx';

/** Returns a pattern of nothing but the text. */
const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/**
 * Asks before something that cannot be undone. With `typed`, it goes on only after somebody has typed exactly that.
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
  function end(choice: string): void {
    if (choice === 'yes') onYes();
    onEnd();
  }
  return (
    <Dialog question={question} onEnd={end}>
      {(close) => (
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
          <button type="button" onClick={close}>
            {words.cancel}
          </button>
          <button type="submit" value="yes" className="main">
            {yes}
          </button>
        </form>
      )}
    </Dialog>
  );
}
