import { dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat } from '../client.tsx';
import { Choice, Field, type Fields, Form, PASSWORD_LENGTH } from '../parts/form.tsx';
import { forgetInvitation, invitation } from '../invitation.ts';
import { Page } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate } from '../router.tsx';
import { words } from '../words.ts';

/** The form to sign up, after which one is logged in. Whoever comes with an invitation joins the team. */
export function SignUp() {
  const chat = useChat();
  const [token, setToken] = useState(invitation);
  const { applicant, company, known, name, passwordHint, role, submit, title } = words.signUp;

  async function signUp({ role: asked, displayName = '', email = '', password = '' }: Fields): Promise<void> {
    const body = {
      role: asked === 'company' || token !== undefined ? 'company' : 'applicant',
      displayName,
      email,
      password,
      ...(token !== undefined && { invitation: token }),
    } as const;
    await dataOf(chat.rest.POST('/v1/auth/register', { body }));
    await chat.logIn({ email, password });
    if (token === undefined) return;
    forgetInvitation();
    navigate(PATHS.company, { replaces: true });
  }

  return (
    <Page title={title}>
      {token !== undefined && (
        <p>
          {words.invitation.signUp}{' '}
          <button
            type="button"
            onClick={() => {
              forgetInvitation();
              setToken(undefined);
            }}
          >
            {words.invitation.without}
          </button>
        </p>
      )}
      <Form send={signUp} submit={submit}>
        {(problem) => (
          <>
            {token === undefined && (
              <Choice
                legend={role}
                name="role"
                options={[
                  ['applicant', applicant],
                  ['company', company],
                ]}
              />
            )}
            <Field label={name} name="displayName" autoComplete="name" required problem={problem} />
            <Field
              {...{ label: words.logIn.email, name: 'email', type: 'email', required: true, problem }}
              autoComplete="username"
            />
            <Field
              {...{
                label: words.logIn.password,
                name: 'password',
                type: 'password',
                hint: passwordHint,
                problem,
              }}
              {...{ required: true, ...PASSWORD_LENGTH }}
              autoComplete="new-password"
            />
          </>
        )}
      </Form>
      <p>
        {known} <Link to={PATHS.logIn}>{words.logIn.title}</Link>
      </p>
    </Page>
  );
}
