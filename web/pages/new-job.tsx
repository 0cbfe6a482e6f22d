import { dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Choice, Field, type Fields, Form, TextArea } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { navigate } from '../router.tsx';
import { words } from '../words.ts';

/** The form with which a company posts a job. */
export function NewJob() {
  const chat = useChat();
  const {
    conversations,
    description,
    group,
    location,
    name,
    private: thread,
    privateHint,
    submit,
    title,
  } = words.newJob;

  async function post({
    title: given = '',
    description: text = '',
    location: place,
    conversations: held,
  }: Fields) {
    const body = {
      title: given,
      description: text,
      conversations: held === 'group' ? 'group' : 'private',
      ...(place !== undefined && { location: place }),
    } as const;
    const { jobId } = await dataOf(chat.rest.POST('/v1/jobs', { body }));
    navigate(`${PATHS.jobs}/${jobId}`, { replaces: true });
  }

  return (
    <Page title={title}>
      <Form send={post} submit={submit}>
        {(problem) => (
          <>
            <Field label={name} name="title" required maxLength={200} problem={problem} />
            <TextArea label={description} name="description" required rows={10} problem={problem} />
            <Field label={location} name="location" problem={problem} />
            <Choice
              legend={conversations}
              name="conversations"
              hint={privateHint}
              chosen="private"
              options={[
                ['private', thread],
                ['group', group],
              ]}
            />
          </>
        )}
      </Form>
    </Page>
  );
}
