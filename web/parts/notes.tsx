import { type components, dataOf } from 'slay-e-chat-client';
import { useRef, useState } from 'react';
import { useAction, useChat, useLoad, useUser } from '../client.tsx';
import { words } from '../words.ts';
import { Confirm } from './confirm.tsx';
import { Form, TextArea } from './form.tsx';
import { useLimits } from './limits.ts';
import { Loading, More, Problem, Prose } from './page.tsx';
import { Time, fully } from './time.tsx';

type Note = components['schemas']['Note'];

/** What the company's people write to each other about an application. */
export function Notes({ applicationId, of }: { applicationId: string; of: string }) {
  const [isOpen, setOpen] = useState(false);
  const { notes } = words.notes;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {notes}
        <span className="hidden"> {words.applications.of(of)}</span>
      </summary>
      {isOpen && <Open applicationId={applicationId} />}
    </details>
  );
}

function Open({ applicationId }: { applicationId: string }) {
  const chat = useChat();
  const user = useUser();
  const limits = useLimits();
  const params = { path: { applicationId } };
  const [older, setOlder] = useState<{ notes: readonly Note[]; hasMore: boolean }>();
  const [removing, setRemoving] = useState<Note>();
  const [turn, setTurn] = useState(0);
  const newest = useLoad(
    () => dataOf(chat.rest.GET('/v1/applications/{applicationId}/notes', { params })),
    [applicationId],
  );
  const company = useLoad(() => dataOf(chat.rest.GET('/v1/company')), []);
  const shown = [...(older?.notes ?? []), ...(newest.data?.data ?? [])];
  const hasMore = older?.hasMore ?? newest.data?.hasMore ?? false;

  const more = useAction(async () => {
    const query = { beforeSeq: shown[0]!.seq };
    const page = await dataOf(
      chat.rest.GET('/v1/applications/{applicationId}/notes', { params: { ...params, query } }),
    );
    setOlder({ notes: [...page.data, ...(older?.notes ?? [])], hasMore: page.hasMore });
  });
  function reload(): void {
    setOlder(undefined);
    newest.reload();
  }
  const remove = useAction(async ({ noteId }: Note) => {
    const path = { applicationId, noteId };
    await dataOf(chat.rest.DELETE('/v1/applications/{applicationId}/notes/{noteId}', { params: { path } }));
    reload();
  });

  // The same text is the same note, however often it is sent.
  const draft = useRef({ text: '', clientMsgId: '' });
  async function add(text: string): Promise<void> {
    if (draft.current.text !== text) draft.current = { text, clientMsgId: crypto.randomUUID() };
    const { clientMsgId } = draft.current;
    const body = { clientMsgId, text };
    await dataOf(chat.rest.POST('/v1/applications/{applicationId}/notes', { params, body }));
    draft.current = { text: '', clientMsgId: '' };
    setTurn(turn + 1);
    reload();
  }

  const {
    add: addIt,
    deleted,
    erased,
    hint,
    none,
    note,
    remove: removeIt,
    removeOf,
    removeSure,
  } = words.notes;
  const isOwner = company.data?.myRole === 'owner';
  return (
    <>
      {newest.data === undefined && newest.problem === undefined && <Loading />}
      <Problem of={newest.problem ?? more.problem ?? remove.problem} retry={reload} />
      <More more={hasMore ? more.run : undefined} />
      {newest.data && shown.length === 0 && <p className="quiet">{none}</p>}
      <ul className="plain">
        {shown.map((each) => (
          <li key={each.id} className="remark">
            <p>
              <strong dir="auto">{each.author.displayName || words.conversation.somebody}</strong>{' '}
              <span className="quiet">
                <Time at={each.occurredAt} as="full" />
              </span>
            </p>
            {each.text !== null ? (
              <Prose text={each.text} />
            ) : (
              <p className="quiet">{each.deletedAt === null ? erased : deleted}</p>
            )}
            {each.text !== null && (isOwner || each.authorId === user.id) && (
              <button
                type="button"
                aria-label={removeOf(fully(each.occurredAt))}
                onClick={() => setRemoving(each)}
              >
                {removeIt}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Form key={turn} submit={addIt} send={({ text = '' }) => add(text.trim())}>
        {(problem) => (
          <TextArea
            {...{ label: note, name: 'text', hint, problem, rows: 2, required: true }}
            maxLength={limits?.message.textLength}
            autoFocus={turn > 0}
          />
        )}
      </Form>
      {removing && (
        <Confirm
          question={removeSure}
          yes={removeIt}
          onYes={() => remove.run(removing)}
          onEnd={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}
