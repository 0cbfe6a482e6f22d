import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useAction, useChat, useLoad, useStore } from '../client.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { shortly } from '../parts/time.tsx';
import { words } from '../words.ts';

/** What a person can set: the account, what it is told of if there is anything, and where it is logged in. */
export function Settings({ isTold = false }: { isTold?: boolean }) {
  const chat = useChat();
  const leave = useAction(chat.logOut);
  return (
    <Page
      title={words.settings.title}
      actions={
        <button type="button" onClick={() => leave.run()}>
          {words.settings.logOut}
        </button>
      }
    >
      <Account />
      {isTold && <Notifications />}
      <Sessions />
    </Page>
  );
}

function Account() {
  const chat = useChat();
  const { data, problem, reload } = useLoad(() => dataOf(chat.rest.GET('/v1/me')), []);
  const [said, setSaid] = useState<string>();
  const again = useAction(async () => {
    await dataOf(chat.rest.POST('/v1/auth/email-verification'));
    setSaid(words.settings.sentAgain);
  });
  const { account, name, sendAgain, unverified, verified } = words.settings;
  return (
    <section aria-labelledby="account">
      <h2 id="account">{account}</h2>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && (
        <>
          {data.email !== null && (
            <p>
              <span dir="auto">{data.email}</span>{' '}
              {data.emailVerified && <span className="tag">{verified}</span>}
            </p>
          )}
          {data.email !== null && !data.emailVerified && (
            <>
              <p>{unverified}</p>
              <button type="button" onClick={() => again.run()} aria-disabled={again.isRunning}>
                {sendAgain}
              </button>
              <Problem of={again.problem} />
            </>
          )}
          <Form
            submit={words.save}
            send={async ({ displayName = '' }) => {
              await dataOf(chat.rest.PATCH('/v1/me', { body: { displayName } }));
              setSaid(words.saved);
              reload();
            }}
          >
            {(wrong) => (
              <Field
                {...{ label: name, name: 'displayName', required: true, problem: wrong }}
                defaultValue={data.displayName}
                autoComplete="name"
              />
            )}
          </Form>
        </>
      )}
      <p role="status">{said}</p>
    </section>
  );
}

type Preferences = components['schemas']['ChangeNotificationPreferences'];

function Notifications() {
  const chat = useChat();
  const { data, problem, reload } = useLoad(
    () => dataOf(chat.rest.GET('/v1/me/notification-preferences')),
    [],
  );
  const { items: groups } = useStore(chat.groups());
  const [said, setSaid] = useState<string>();
  const set = useAction(async (body: Preferences) => {
    await dataOf(chat.rest.PATCH('/v1/me/notification-preferences', { body }));
    setSaid(words.saved);
    reload();
  });
  const { byEmail, byPush, digest, muted, noneMuted, notifications } = words.settings;
  return (
    <section aria-labelledby="notifications">
      <h2 id="notifications">{notifications}</h2>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && (
        <>
          <label className="choice">
            <input type="checkbox" checked={data.email} onChange={() => set.run({ email: !data.email })} />
            {byEmail}
          </label>
          <label className="choice">
            <input type="checkbox" checked={data.push} onChange={() => set.run({ push: !data.push })} />
            {byPush}
          </label>
          <Form
            submit={words.save}
            send={async ({ digestMinutes }) => {
              const body = { digestMinutes: Number(digestMinutes) };
              await dataOf(chat.rest.PATCH('/v1/me/notification-preferences', { body }));
              setSaid(words.saved);
              reload();
            }}
          >
            {(wrong) => (
              <Field
                {...{ label: digest, name: 'digestMinutes', type: 'number', required: true, problem: wrong }}
                {...{ min: 0, defaultValue: data.digestMinutes, inputMode: 'numeric' }}
              />
            )}
          </Form>
          <h3>{muted}</h3>
          {data.muted.length === 0 && <p className="quiet">{noneMuted}</p>}
          <ul className="cards">
            {data.muted.map((groupId) => (
              <li key={groupId} className="row">
                <span dir="auto">{groups.find((group) => group.groupId === groupId)?.name ?? groupId}</span>
                <button
                  type="button"
                  onClick={() => set.run({ muted: data.muted.filter((other) => other !== groupId) })}
                >
                  {words.conversation.unmute}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <Problem of={set.problem} />
      <p role="status">{said}</p>
    </section>
  );
}

function Sessions() {
  const chat = useChat();
  const { data, problem, reload } = useLoad(() => dataOf(chat.rest.GET('/v1/me/sessions')), []);
  const end = useAction(async (sessionId: string) => {
    await chat.rest.DELETE('/v1/me/sessions/{sessionId}', { params: { path: { sessionId } } });
    reload();
  });
  const { end: endIt, endSession, lastUsed, sessions, thisOne, unknownBrowser } = words.settings;
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{sessions}</h2>
      <Problem of={problem ?? end.problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      <ul className="cards">
        {data?.data.map(({ sessionId, userAgent, lastUsedAt, current }) => (
          <li key={sessionId}>
            <p>
              {userAgent ?? unknownBrowser} {current && <span className="tag">{thisOne}</span>}
            </p>
            <p className="quiet">{lastUsed(shortly(lastUsedAt))}</p>
            {!current && (
              <button
                type="button"
                aria-label={endSession(userAgent ?? unknownBrowser)}
                onClick={() => end.run(sessionId)}
              >
                {endIt}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
