import { InboxList } from '../parts/inbox-list.tsx';
import { useNameOf } from '../parts/names.ts';
import { Page } from '../parts/page.tsx';
import { words } from '../words.ts';

/** All conversations of a person. */
export function Inbox() {
  const nameOf = useNameOf();
  return (
    <Page title={words.inbox.title}>
      <InboxList nameOf={nameOf} />
    </Page>
  );
}
