import { dataOf } from 'slay-e-chat-client';
import { useChat, usePages } from '../client.tsx';
import { Application } from '../parts/application.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { words } from '../words.ts';

/** What the applicant has applied for. */
export function Applications() {
  const chat = useChat();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/applications', { params: { query: { ...cursor } } })),
    [],
  );
  return (
    <Page title={words.applications.own}>
      {items === undefined && problem === undefined && <Loading />}
      <Problem of={problem} retry={reload} />
      {items?.length === 0 && <p role="status">{words.applications.none}</p>}
      <ul className="cards">
        {items?.map((application) => (
          <Application key={application.id} application={application} onChanged={reload} />
        ))}
      </ul>
      <More more={more} />
    </Page>
  );
}
