import { type Group, type Message, dataOf } from 'slay-e-chat-client';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useAction, useChat, useLoad, useStore, useUser } from '../client.tsx';
import { useAnnounce } from '../parts/announcer.tsx';
import { Composer, type Draft } from '../parts/composer.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { InboxList } from '../parts/inbox-list.tsx';
import { MembersList } from '../parts/members-list.tsx';
import { MessageList, type Target } from '../parts/message-list.tsx';
import { useNameOf } from '../parts/names.ts';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { Link, useLocation } from '../router.tsx';
import { words } from '../words.ts';

/** One conversation, beside all others where there is room. */
export function Conversation({ groupId }: { groupId: string }) {
  const chat = useChat();
  const { data, problem, reload } = useLoad(
    () => dataOf(chat.rest.GET('/v1/groups/{groupId}', { params: { path: { groupId } } })),
    [groupId],
  );
  const nameOf = useNameOf();
  // The messages are on their way while the group is.
  useEffect(() => chat.messages(groupId).subscribe(() => {}), [chat, groupId]);
  return (
    <div className="split">
      <aside aria-label={words.inbox.title}>
        <InboxList current={groupId} nameOf={nameOf} />
      </aside>
      <section className="conversation" aria-label={data ? nameOf(data) : words.inbox.title}>
        {data ? (
          <Open group={data} name={nameOf(data)} />
        ) : (
          <Page title={words.inbox.title}>
            {problem === undefined ? <Loading /> : <Problem of={problem} retry={reload} />}
          </Page>
        )}
      </section>
    </div>
  );
}

function Open({ group: loaded, name }: { group: Group; name: string }) {
  const chat = useChat();
  const { groupId } = loaded;
  const conversation = useMemo(() => chat.messages(groupId), [chat, groupId]);
  const state = useStore(conversation);
  const { items: groups } = useStore(chat.groups());
  const group = groups.find((each) => each.groupId === groupId) ?? loaded;
  const [draft, setDraft] = useState<Draft>({});
  const [removing, setRemoving] = useState<Message>();
  const [target, setTarget] = useState<Target>();
  const remove = useAction((message: Message) => chat.remove(groupId, message.id));
  const answer = useAction(async (work: () => Promise<unknown>) => work());
  const at = Number(useLocation().query.get('at') ?? Number.NaN);
  useAnnounceNews(state.messages);

  const jump = async (seq: number): Promise<void> => {
    if (!conversation.getSnapshot().messages.some((message) => message.seq === seq))
      await conversation.showAround(seq);
    setTarget({ seq });
  };
  const latest = useRef(jump);
  latest.current = jump;
  useEffect(() => {
    if (Number.isInteger(at)) void latest.current(at);
  }, [at]);

  /** The seq of an answered message is not known if it was said before this window. */
  async function showOriginal({ replyTo, replyToSeq }: Message): Promise<void> {
    if (replyTo === null) return;
    const known = replyToSeq ?? state.messages.find(({ id }) => id === replyTo)?.seq;
    const params = { path: { groupId, messageId: replyTo } };
    const seq =
      known ?? (await dataOf(chat.rest.GET('/v1/groups/{groupId}/messages/{messageId}', { params }))).seq;
    await jump(seq);
  }

  if (state.status === 'gone')
    return (
      <Page title={name}>
        <p role="alert">{words.conversation.gone}</p>
        <Link to={PATHS.inbox}>{words.conversation.back}</Link>
      </Page>
    );
  return (
    <Page
      title={name}
      actions={
        <>
          <Link to={PATHS.inbox} className="back">
            {words.conversation.back}
          </Link>
          <Link to={`${PATHS.search}?in=${groupId}`}>{words.conversation.search}</Link>
        </>
      }
    >
      <details className="members">
        <summary>
          {words.conversation.members} ({words.number(group.memberCount)})
        </summary>
        <MembersList groupId={groupId} />
        <Mute groupId={groupId} />
      </details>
      <Problem
        of={state.problem}
        retry={() => void (state.hasOlder ? conversation.loadOlder() : conversation.loadNewer())}
      />
      <Problem of={remove.problem ?? answer.problem} />
      <MessageList
        {...{ conversation, state, target, groupId }}
        readSeq={loaded.readSeq}
        isAdmin={group.myRole === 'admin'}
        onReply={(replyTo) => setDraft({ replyTo })}
        onEdit={(editing) => setDraft({ editing })}
        onRemove={setRemoving}
        onShowOriginal={(message) => answer.run(() => showOriginal(message))}
        onReact={(message, emoji, isOn) =>
          answer.run(() => (isOn ? chat.react : chat.unreact)(groupId, message.id, emoji))
        }
      />
      {group.status === 'closed' ? (
        <p className="quiet">{words.conversation.closed}</p>
      ) : (
        <Composer groupId={groupId} draft={draft} onDraft={setDraft} />
      )}
      {removing && (
        <Confirm
          question={words.conversation.removeSure}
          yes={words.conversation.remove}
          onYes={() => remove.run(removing)}
          onEnd={() => setRemoving(undefined)}
        />
      )}
    </Page>
  );
}

/** Says what others write while the conversation is open. */
function useAnnounceNews(messages: readonly Message[]): void {
  const announce = useAnnounce();
  const user = useUser();
  const said = useRef<number>(undefined);
  const last = messages.at(-1);
  useEffect(() => {
    if (!last) return;
    const isNews = said.current !== undefined && last.seq > said.current && last.senderId !== user.id;
    said.current = Math.max(said.current ?? 0, last.seq);
    const text = last.text ?? words.inbox.files(last.files.length);
    if (isNews)
      announce(words.conversation.heard(last.sender.displayName || words.conversation.somebody, text));
  }, [last, announce, user.id]);
}

function Mute({ groupId }: { groupId: string }) {
  const chat = useChat();
  const { data, problem, reload } = useLoad(
    () => dataOf(chat.rest.GET('/v1/me/notification-preferences')),
    [],
  );
  const params = { path: { groupId } };
  const isMuted = data?.muted.includes(groupId) ?? false;
  const change = useAction(async () => {
    await (isMuted
      ? chat.rest.DELETE('/v1/groups/{groupId}/mute', { params })
      : chat.rest.PUT('/v1/groups/{groupId}/mute', { params }));
    reload();
  });
  const { mute, muted, unmute } = words.conversation;
  return (
    <>
      <Problem of={problem ?? change.problem} />
      {data && (
        <button type="button" onClick={() => change.run()}>
          {isMuted ? unmute : mute}
        </button>
      )}
      <p role="status" className="quiet">
        {isMuted && muted}
      </p>
    </>
  );
}
