import { useMemo } from 'react';
import { useChat, useStore, useUser } from '../client.tsx';
import { words } from '../words.ts';
import { Loading, More, Problem } from './page.tsx';

/** Who is in a conversation, and who of them is online. */
export function MembersList({ groupId }: { groupId: string }) {
  const chat = useChat();
  const user = useUser();
  const members = useMemo(() => chat.members(groupId), [chat, groupId]);
  const { status, items, problem, hasMore } = useStore(members);
  const { admin, offline, online, somebody, you } = words.conversation;
  return (
    <>
      {status === 'loading' && <Loading />}
      <Problem of={problem} />
      <ul className="plain">
        {items.map(({ userId, displayName, role, online: isOnline }) => (
          <li key={userId}>
            <span className={isOnline ? 'dot on' : 'dot'} aria-hidden="true" />{' '}
            <span dir="auto">{displayName || somebody}</span>
            {userId === user.id && ` (${you})`}
            <span className="quiet">
              {' '}
              {isOnline ? online : offline}
              {role === 'admin' && `, ${admin}`}
            </span>
          </li>
        ))}
      </ul>
      <More more={hasMore ? () => void members.loadMore() : undefined} />
    </>
  );
}
