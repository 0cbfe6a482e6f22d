import { useState } from 'react';
import { dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { words } from '../words.ts';

/** The form for those who have forgotten their password. The letter leads to a page of the server. */
export function Forgot() {
  const chat = useChat();
  const [isSent, setSent] = useState(false);
  const { sent, submit, text, title } = words.forgot;
  return (
    <Page title={title}>
      {isSent ? (
        <p role="status">{sent}</p>
      ) : (
        <>
          <p>{text}</p>
          <Form
            submit={submit}
            send={async ({ email = '' }) => {
              await dataOf(chat.rest.POST('/v1/auth/password-reset', { body: { email } }));
              setSent(true);
            }}
          >
            {(problem) => (
              <Field
                {...{ label: words.logIn.email, name: 'email', type: 'email', required: true, problem }}
                autoComplete="username"
              />
            )}
          </Form>
        </>
      )}
    </Page>
  );
}
