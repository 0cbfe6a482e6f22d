import { dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat, usePages } from '../client.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../words.ts';
import { Act } from './act.tsx';
import { useWatch } from './watch.ts';

const EVERY_MS = 5_000;

/** What waits to be sent, and what could not be sent. */
export function Notifications() {
  const chat = useChat();
  const backlog = useWatch(
    () => dataOf(chat.rest.GET('/v1/admin/notifications')),
    () => EVERY_MS,
  );
  const parked = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/admin/notifications/parked', { params: { query: { ...cursor } } })),
    // It changes only when their number does.
    [backlog.data?.parked],
  );
  const [said, setSaid] = useState<string>();
  function reload(): void {
    backlog.reload();
    parked.reload();
  }
  async function replay(reason: string, chosen: { batchIds: string[] } | { all: true }): Promise<void> {
    const body = { reason, ...chosen };
    const { replayed } = await dataOf(chat.rest.POST('/v1/admin/notifications/replay', { body }));
    setSaid(words.admin.notifications.replayed(replayed));
    reload();
  }
  const { channels, none, parked: title, replayAll, replayOne, state, to } = words.admin.notifications;
  return (
    <Page title={words.admin.notifications.title}>
      <Problem of={backlog.problem} retry={reload} />
      {backlog.data && <p>{state(backlog.data)}</p>}
      <p role="status">{said}</p>
      <section aria-labelledby="parked">
        <h2 id="parked">{title}</h2>
        <Problem of={parked.problem} retry={reload} />
        {parked.items === undefined && parked.problem === undefined && <Loading />}
        {parked.items?.length === 0 && <p className="quiet">{none}</p>}
        {parked.items !== undefined && parked.items.length > 1 && (
          <div className="row">
            <Act
              label={replayAll.label}
              question={replayAll.question}
              act={({ reason }) => replay(reason, { all: true })}
            />
          </div>
        )}
        <ul className="cards">
          {parked.items?.map(({ batchId, channel, notifications, parkedAt, reason, recipientId }) => (
            <li key={batchId}>
              <p>
                <span className="tag">{channels[channel]}</span> {to(notifications)}{' '}
                <span className="quiet">{recipientId}</span>
              </p>
              <p dir="auto">{reason}</p>
              <p className="quiet">
                <Time at={parkedAt} as="full" />
              </p>
              <div className="row">
                <Act
                  label={replayOne.label}
                  name={replayOne.name(recipientId)}
                  question={replayOne.question(channels[channel])}
                  act={({ reason: why }) => replay(why, { batchIds: [batchId] })}
                />
              </div>
            </li>
          ))}
        </ul>
        <More more={parked.more} />
      </section>
    </Page>
  );
}
