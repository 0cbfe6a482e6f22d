import { dataOf } from 'slay-e-chat-client';
import { useChat, usePages, useStore } from '../client.tsx';
import { useNameOf } from '../parts/names.ts';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { SearchForm } from '../parts/search-form.tsx';
import { Time } from '../parts/time.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';

/** Finds messages in all conversations, or in one. A hit leads to its place. */
export function Search() {
  const chat = useChat();
  const { query } = useLocation();
  const q = query.get('q') ?? '';
  const groupId = query.get('in') ?? undefined;
  const { everywhere, found, inGroup, label, none, submit, title } = words.search;
  const { items: groups } = useStore(chat.groups());
  const named = useNameOf();
  const nameOf = (id: string) => {
    const group = groups.find(({ groupId: each }) => each === id);
    return group && named(group);
  };
  const { items, more, problem, reload } = usePages(
    async (cursor) => {
      if (q === '') return { data: [], nextCursor: null };
      const asked = { q, ...(groupId !== undefined && { groupId }), ...cursor };
      return dataOf(chat.rest.GET('/v1/search/messages', { params: { query: asked } }));
    },
    [q, groupId],
  );
  const within = groupId === undefined ? undefined : { in: groupId };

  return (
    <Page title={title}>
      {groupId !== undefined && (
        <p>
          {inGroup(nameOf(groupId) ?? '…')}{' '}
          <Link to={`${PATHS.search}?${new URLSearchParams({ q })}`}>{everywhere}</Link>
        </p>
      )}
      <SearchForm
        {...{ label, submit, value: q }}
        onSearch={(asked) => navigate(`${PATHS.search}?${new URLSearchParams({ q: asked, ...within })}`)}
      />
      <Problem of={problem} retry={reload} />
      {items === undefined && problem === undefined && <Loading />}
      {q !== '' && items && <p role="status">{items.length === 0 ? none : found(items.length)}</p>}
      <ul className="rows">
        {items?.map((message) => (
          <li key={message.id}>
            <Link to={`/c/${message.groupId}?at=${message.seq}`}>
              <span className="name" dir="auto">
                {message.sender.displayName}
              </span>
              <span className="last" dir="auto">
                {message.text}
              </span>
              <span className="quiet row">
                <span dir="auto">{nameOf(message.groupId)}</span>
                <Time at={message.occurredAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <More more={more} />
    </Page>
  );
}
