import { dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Choice, Field, type Fields, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { Link } from '../router.tsx';
import { words } from '../words.ts';

const LEAST = 8;
const MOST = 128;

/** The form to sign up, after which one is logged in. */
export function SignUp() {
  const chat = useChat();
  const { applicant, company, known, name, passwordHint, role, submit, title } = words.signUp;

  async function signUp({ role: asked, displayName = '', email = '', password = '' }: Fields): Promise<void> {
    const body = {
      role: asked === 'company' ? 'company' : 'applicant',
      displayName,
      email,
      password,
    } as const;
    await dataOf(chat.rest.POST('/v1/auth/register', { body }));
    await chat.logIn({ email, password });
  }

  return (
    <Page title={title}>
      <Form send={signUp} submit={submit}>
        {(problem) => (
          <>
            <Choice
              legend={role}
              name="role"
              options={[
                ['applicant', applicant],
                ['company', company],
              ]}
            />
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
              {...{ required: true, minLength: LEAST, maxLength: MOST }}
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
