import type { Group, Message, Thread } from 'slay-e-chat-client';
import type { ReactNode } from 'react';
import { useChat, useStore, useUser } from '../client.tsx';
import { Link } from '../router.tsx';
import { words } from '../words.ts';
import type { useNameOf } from './names.ts';
import { Loading, More, Problem } from './page.tsx';
import { Time } from './time.tsx';

/** All conversations, the latest activity first. `current` is the one that is open beside them. */
export function InboxList({ current, nameOf }: { current?: string; nameOf: ReturnType<typeof useNameOf> }) {
  const inbox = useChat().groups();
  const { status, items, problem, hasMore } = useStore(inbox);
  const { closed, kinds, none } = words.inbox;
  return (
    <>
      {status === 'loading' && <Loading />}
      <Problem of={problem} />
      {status === 'ready' && items.length === 0 && <p>{none}</p>}
      <ul className="rows">
        {items.map((group) => (
          <Row key={group.groupId} row={group} name={nameOf(group)} isCurrent={group.groupId === current}>
            <span className="tag">{kinds[group.kind]}</span>
            {group.status === 'closed' && <span className="tag">{closed}</span>}
          </Row>
        ))}
      </ul>
      <More more={hasMore ? () => void inbox.loadMore() : undefined} />
    </>
  );
}

/** One line of a list of conversations. */
export function Row({
  row,
  name,
  note,
  isCurrent = false,
  children,
}: {
  row: Pick<Group | Thread, 'groupId' | 'unreadCount' | 'lastMessage'>;
  name: string;
  /** Shown below the last message. */
  note?: ReactNode;
  isCurrent?: boolean;
  children: ReactNode;
}) {
  const { groupId, unreadCount, lastMessage } = row;
  return (
    <li>
      <Link to={`/c/${groupId}`} aria-current={isCurrent ? 'page' : undefined}>
        <span className="row">
          <span className="name" dir="auto">
            {name}
          </span>
          {unreadCount > 0 && (
            <span className="count">
              {words.number(unreadCount)}
              <span className="hidden"> {words.unread(unreadCount)}</span>
            </span>
          )}
        </span>
        <LastMessage message={lastMessage} />
        {note !== undefined && <span className="note">{note}</span>}
        <span className="quiet row">
          <span>{children}</span>
          {lastMessage && <Time at={lastMessage.occurredAt} />}
        </span>
      </Link>
    </li>
  );
}

function LastMessage({ message }: { message: Message | null }) {
  const user = useUser();
  const { deleted, files, noMessage, said, you } = words.inbox;
  if (!message) return <span className="last quiet">{noMessage}</span>;
  const name = message.senderId === user.id ? you : message.sender.displayName;
  const text = message.deletedAt === null ? (message.text ?? files(message.files.length)) : deleted;
  return (
    <span className="last" dir="auto">
      {said(name, text)}
    </span>
  );
}
