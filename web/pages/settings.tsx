import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useAction, useChat, useLoad, useStore } from '../client.tsx';
import { Field, Form, PASSWORD_LENGTH } from '../parts/form.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { PushSwitch } from '../parts/push-switch.tsx';
import { SecondFactor } from '../parts/second-factor.tsx';
import { shortly } from '../parts/time.tsx';
import { turnPushOff } from '../push.ts';
import { words } from '../words.ts';

type Me = components['schemas']['Me'];

const PATIENCE_MS = 2_000;

/** What a person can set: the account, what it is told of if there is anything, and where it is logged in. */
export function Settings({ isTold = false }: { isTold?: boolean }) {
  const chat = useChat();
  const { data: me, problem, reload } = useLoad(() => dataOf(chat.rest.GET('/v1/me')), []);
  const [turn, setTurn] = useState(0);
  const leave = useAction(async () => {
    // Whoever uses the browser next is not told what this one is written. It does not wait for a line that is down.
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([turnPushOff(chat), patience]).catch(() => undefined);
    await chat.logOut();
  });
  return (
    <Page
      title={words.settings.title}
      actions={
        <button type="button" onClick={() => leave.run()}>
          {words.settings.logOut}
        </button>
      }
    >
      <Problem of={problem} retry={reload} />
      {me === undefined && problem === undefined && <Loading />}
      {me && <Account me={me} onChanged={reload} />}
      {me && me.email !== null && (
        <>
          <Password />
          <SecondFactor
            isOn={me.totpEnabled}
            onChanged={() => {
              reload();
              setTurn(turn + 1);
            }}
          />
        </>
      )}
      {isTold && <Notifications />}
      {/* Some may see them only with a second factor. */}
      <Sessions key={turn} />
    </Page>
  );
}

function Account({ me, onChanged }: { me: Me; onChanged: () => void }) {
  const chat = useChat();
  const [said, setSaid] = useState<string>();
  const again = useAction(async () => {
    await dataOf(chat.rest.POST('/v1/auth/email-verification'));
    setSaid(words.settings.sentAgain);
  });
  const { account, name, sendAgain, unverified, verified } = words.settings;
  return (
    <section aria-labelledby="account">
      <h2 id="account">{account}</h2>
      {me.email !== null && (
        <p>
          <span dir="auto">{me.email}</span> {me.emailVerified && <span className="tag">{verified}</span>}
        </p>
      )}
      {me.email !== null && !me.emailVerified && (
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
          onChanged();
        }}
      >
        {(wrong) => (
          <Field
            {...{ label: name, name: 'displayName', required: true, problem: wrong }}
            defaultValue={me.displayName}
            autoComplete="name"
          />
        )}
      </Form>
      {me.email !== null && <Email onSaid={setSaid} />}
      <p role="status" dir="auto">
        {said}
      </p>
    </section>
  );
}

/** The address changes once the letter to the new one is confirmed. */
function Email({ onSaid }: { onSaid: (said: string) => void }) {
  const chat = useChat();
  const [turn, setTurn] = useState(0);
  const { changeEmail, emailSent, newEmail, presentPassword } = words.settings;
  return (
    <details key={turn}>
      <summary>{changeEmail}</summary>
      <Form
        submit={changeEmail}
        send={async ({ email = '', password = '' }) => {
          await chat.rest.PUT('/v1/me/email', { body: { email, password } });
          onSaid(emailSent(email));
          setTurn(turn + 1);
        }}
      >
        {(wrong) => (
          <>
            <Field
              {...{ label: newEmail, name: 'email', type: 'email', required: true, problem: wrong }}
              autoComplete="email"
            />
            <Field
              {...{
                label: presentPassword,
                name: 'password',
                type: 'password',
                required: true,
                problem: wrong,
              }}
              autoComplete="current-password"
            />
          </>
        )}
      </Form>
    </details>
  );
}

function Password() {
  const chat = useChat();
  const [turn, setTurn] = useState(0);
  const [said, setSaid] = useState<string>();
  const { changePassword, newPassword, password, passwordChanged, presentPassword } = words.settings;
  return (
    <section aria-labelledby="password">
      <h2 id="password">{password}</h2>
      <details key={turn}>
        <summary>{changePassword}</summary>
        <Form
          submit={changePassword}
          send={async ({ currentPassword = '', newPassword: next = '' }) => {
            await chat.rest.PUT('/v1/me/password', { body: { currentPassword, newPassword: next } });
            setSaid(passwordChanged);
            setTurn(turn + 1);
          }}
        >
          {(problem) => (
            <>
              <Field
                {...{ label: presentPassword, name: 'currentPassword', type: 'password', problem }}
                required
                autoComplete="current-password"
              />
              <Field
                {...{ label: newPassword, name: 'newPassword', type: 'password', problem }}
                {...{ hint: words.signUp.passwordHint, required: true, ...PASSWORD_LENGTH }}
                autoComplete="new-password"
              />
            </>
          )}
        </Form>
      </details>
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
          {data.push && <PushSwitch />}
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
