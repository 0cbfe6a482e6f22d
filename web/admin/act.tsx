import { type ReactNode, useState } from 'react';
import { Dialog } from '../parts/dialog.tsx';
import { type Fields, Form, TextArea } from '../parts/form.tsx';
import { words } from '../words.ts';

interface ActProps {
  /** On the button. */
  label: string;
  /** The label for those who do not see what is around the button. */
  name?: string;
  /** What the act does, above the field for the reason. */
  question: string;
  /** Further fields. */
  children?: ReactNode;
  act: (given: { reason: string; fields: Fields }) => Promise<unknown>;
}

/** A button for something that operators do. It asks for the reason, which goes on record. */
export function Act({ label, name, ...rest }: ActProps) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <button type="button" aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </button>
      {isAsking && <Reason {...rest} submit={label} onEnd={() => setAsking(false)} />}
    </>
  );
}

function Reason({
  question,
  children,
  act,
  submit,
  onEnd,
}: Omit<ActProps, 'label' | 'name'> & { submit: string; onEnd: () => void }) {
  async function send(fields: Fields, close: () => void): Promise<void> {
    await act({ reason: fields['reason'] ?? '', fields });
    close();
    // The button may be gone with what it was for.
    document.getElementById('content')?.focus({ preventScroll: true });
  }
  const { reason, reasonHint } = words.admin;
  return (
    <Dialog question={question} onEnd={onEnd}>
      {(close) => (
        <>
          <Form send={(fields) => send(fields, close)} submit={submit}>
            {(problem) => (
              <>
                {children}
                <TextArea
                  {...{ label: reason, hint: reasonHint, name: 'reason', required: true, problem }}
                  {...{ rows: 3, maxLength: 1_000 }}
                />
              </>
            )}
          </Form>
          <button type="button" onClick={close}>
            {words.cancel}
          </button>
        </>
      )}
    </Dialog>
  );
}
