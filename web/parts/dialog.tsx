import { type ReactNode, useEffect, useId, useRef } from 'react';

/** Asks something above the page. It takes the focus, and gives it back. `onEnd` gets the value of the button that closed it. */
export function Dialog({
  question,
  onEnd,
  children,
}: {
  question: ReactNode;
  onEnd: (choice: string) => void;
  children: (close: () => void) => ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      onClose={({ currentTarget }) => onEnd(currentTarget.returnValue)}
      aria-labelledby={id}
    >
      <p id={id} dir="auto">
        {question}
      </p>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}
