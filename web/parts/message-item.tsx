import type { Message, PendingMessage } from 'slay-e-chat-client';
import { memo, useState } from 'react';
import { sayWhy, useChat, useStore, useUser } from '../client.tsx';
import { words } from '../words.ts';
import { SentFile } from './file.tsx';
import { Prose } from './page.tsx';
import { Time } from './time.tsx';

const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '🙏'] as const;

/** What can be done with a message. */
export interface MessageActions {
  isAdmin: boolean;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onRemove: (message: Message) => void;
  onReact: (message: Message, emoji: string, isOn: boolean) => void;
  onShowOriginal: (message: Message) => void;
}

/** One message, and what was done with it. It is drawn again when something of it changes, not at every turn of the wheel. */
export const MessageItem = memo(function MessageItem({
  message,
  original,
  isGrouped,
  isSought,
  seenBy,
  ...actions
}: {
  message: Message;
  /** The message that this one answers, if it is in the window. */
  original: Message | undefined;
  /** It follows another one of the same person, whose name needs no repetition. */
  isGrouped: boolean;
  isSought: boolean;
  seenBy: string[] | undefined;
} & MessageActions) {
  const user = useUser();
  const { deleted, edited, erased, seenBy: seenWords, somebody } = words.conversation;
  const { deletedAt, editedAt, erasedAt, files, occurredAt, replyTo, senderId, sender, seq, text } = message;
  const name = sender.displayName || somebody;
  const isOwn = senderId === user.id;
  return (
    <article
      className={['message', isOwn && 'own', isGrouped && 'grouped', isSought && 'sought']
        .filter(Boolean)
        .join(' ')}
      data-seq={seq}
      tabIndex={-1}
      aria-label={words.conversation.heard(name, '').trim()}
    >
      <header className={isGrouped ? 'hidden' : undefined}>
        <strong dir="auto">{name}</strong>{' '}
        <span className="quiet">
          <Time at={occurredAt} as="clock" />
        </span>
      </header>
      {replyTo !== null && (
        <button type="button" className="quote" onClick={() => actions.onShowOriginal(message)}>
          {original ? (
            <>
              <strong dir="auto">{original.sender.displayName || somebody}</strong>{' '}
              <span dir="auto">
                {original.text ??
                  (original.deletedAt === null ? words.inbox.files(original.files.length) : deleted)}
              </span>
            </>
          ) : (
            words.conversation.original
          )}
        </button>
      )}
      {deletedAt !== null ? (
        <p className="quiet">{deleted}</p>
      ) : erasedAt !== null ? (
        <p className="quiet">{erased}</p>
      ) : (
        text !== null && <Prose text={text} />
      )}
      {files.length > 0 && (
        <ul className="files">
          {files.map((file) => (
            <SentFile key={file.fileId} file={file} />
          ))}
        </ul>
      )}
      {editedAt !== null && deletedAt === null && <small className="quiet">{edited}</small>}
      <Reactions message={message} onReact={actions.onReact} />
      {deletedAt === null && <Actions {...{ message, name, isOwn }} {...actions} />}
      {seenBy && (
        <p className="quiet seen" dir="auto">
          {seenWords(seenBy)}
        </p>
      )}
    </article>
  );
});

function Reactions({ message, onReact }: { message: Message } & Pick<MessageActions, 'onReact'>) {
  const user = useUser();
  const { people } = useChat();
  const known = useStore(people);
  const given = Object.entries(message.reactions);
  if (given.length === 0) return null;
  return (
    <ul className="reactions">
      {given.map(([emoji, users]) => {
        const names = users.map((id) =>
          id === user.id ? words.conversation.you : (known.get(id) ?? words.conversation.somebody),
        );
        const isOwn = users.includes(user.id);
        return (
          <li key={emoji}>
            <button
              type="button"
              aria-pressed={isOwn}
              title={words.conversation.reactions(names)}
              onClick={() => onReact(message, emoji, !isOwn)}
            >
              {emoji} {words.number(users.length)}
              <span className="hidden"> {words.conversation.reactions(names)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Actions({
  message,
  name,
  isOwn,
  isAdmin,
  onReply,
  onEdit,
  onRemove,
  onReact,
}: { message: Message; name: string; isOwn: boolean } & MessageActions) {
  const user = useUser();
  const [isOpen, setOpen] = useState(false);
  const { actions, edit, reactWith, remove, reply } = words.conversation;
  const then = (work: () => void) => () => {
    setOpen(false);
    work();
  };
  return (
    <div
      className="actions"
      onKeyDown={(event) => {
        if (event.key === 'Escape') setOpen(false);
      }}
    >
      <button
        type="button"
        aria-expanded={isOpen}
        aria-label={actions(name)}
        onClick={() => setOpen(!isOpen)}
      >
        ⋯
      </button>
      {isOpen && (
        <div className="menu" ref={show}>
          <div className="row">
            {QUICK.map((emoji) => {
              const isGiven = message.reactions[emoji]?.includes(user.id) ?? false;
              return (
                <button
                  key={emoji}
                  type="button"
                  aria-label={reactWith(emoji)}
                  aria-pressed={isGiven}
                  onClick={then(() => onReact(message, emoji, !isGiven))}
                >
                  {emoji}
                </button>
              );
            })}
          </div>
          <div className="row">
            <button type="button" onClick={then(() => onReply(message))}>
              {reply}
            </button>
            {isOwn && message.text !== null && (
              <button type="button" onClick={then(() => onEdit(message))}>
                {edit}
              </button>
            )}
            {(isOwn || isAdmin) && (
              <button type="button" onClick={then(() => onRemove(message))}>
                {remove}
              </button>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

const show = (menu: HTMLElement | null) => menu?.scrollIntoView({ block: 'nearest' });

/** A message of one's own that the group has not heard yet. */
export function PendingItem({ message }: { message: PendingMessage }) {
  const chat = useChat();
  const { clientMsgId, text, fileIds = [], status, problem, failure } = message;
  const { failed, retry, sending, takeBack, waiting } = words.conversation;
  const isWaiting = status === 'waiting' || status === 'failed';
  const why = problem
    ? sayWhy(problem)
    : (words.problems[failure as keyof typeof words.problems] ?? words.problem);
  return (
    <article
      className="message own pending"
      aria-label={words.conversation.heard(words.inbox.you, '').trim()}
    >
      {text != null && <Prose text={text} />}
      {fileIds.length > 0 && <p>{words.inbox.files(fileIds.length)}</p>}
      <p className={status === 'failed' ? 'wrong' : 'quiet'}>
        {status === 'failed' ? failed(why) : status === 'waiting' ? waiting : sending}
      </p>
      {isWaiting && (
        <p className="row">
          {/* It stays where it is when the other one goes: a second click must not be on it. */}
          <button type="button" onClick={() => void chat.outbox.cancel(clientMsgId)}>
            {takeBack}
          </button>
          {status === 'failed' && (
            <button type="button" onClick={() => chat.outbox.retry(clientMsgId)}>
              {retry}
            </button>
          )}
        </p>
      )}
    </article>
  );
}
