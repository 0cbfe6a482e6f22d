import { ChatProblem } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat } from '../client.tsx';
import { invitation } from '../invitation.ts';
import { Field, type Fields, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate } from '../router.tsx';
import { words } from '../words.ts';

/** The form to log in. `next` is where somebody wanted to go who was not logged in. */
export function LogIn({ next }: { next?: string }) {
  const chat = useChat();
  const [needsCode, setNeedsCode] = useState(false);
  const isStart = next === PATHS.inbox;

  async function logIn({ email = '', password = '', code }: Fields): Promise<void> {
    try {
      await chat.logIn({ email, password, ...(code !== undefined && { code }) });
      if (next !== undefined) navigate(next, { replaces: true });
    } catch (error) {
      if (!(error instanceof ChatProblem) || error.code !== 'TOTP_REQUIRED') throw error;
      setNeedsCode(true);
    }
  }

  const { email, password, code, codeNeeded, submit, forgot, none, title } = words.logIn;
  return (
    <Page title={isStart ? words.welcome.title : title}>
      {isStart && <p>{words.welcome.text}</p>}
      {invitation() !== undefined && <p>{words.invitation.logIn}</p>}
      <Form send={logIn} submit={submit}>
        {(problem) => (
          <>
            <Field
              label={email}
              name="email"
              type="email"
              autoComplete="username"
              required
              problem={problem}
            />
            <Field
              {...{ label: password, name: 'password', type: 'password', required: true, problem }}
              autoComplete="current-password"
            />
            {needsCode && (
              <>
                <p role="status">{codeNeeded}</p>
                <Field
                  label={code}
                  name="code"
                  autoComplete="one-time-code"
                  required
                  autoFocus
                  problem={problem}
                />
              </>
            )}
          </>
        )}
      </Form>
      <p>
        <Link to={PATHS.forgot}>{forgot}</Link>
      </p>
      <p>
        {none} <Link to={PATHS.signUp}>{words.signUp.title}</Link>
      </p>
      <p>
        <a href="/docs">{words.nav.docs}</a>
      </p>
    </Page>
  );
}
