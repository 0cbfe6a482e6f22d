import { ChatProblem, dataOf } from 'slay-e-chat-client';
import { Suspense, lazy, useState } from 'react';
import { useChat } from '../client.tsx';
import { words } from '../words.ts';
import { Field, Form } from './form.tsx';

/** It draws codes, which nobody else needs. */
const QrCode = lazy(() => import('./qr-code.tsx'));

interface Key {
  secret: string;
  otpauthUrl: string;
}

/** The codes of an authenticator app, which a log-in needs as well as the password. */
export function SecondFactor({ isOn, onChanged }: { isOn: boolean; onChanged: () => void }) {
  const [key, setKey] = useState<Key>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [areLost, setLost] = useState(false);
  const { lost, off, on, title } = words.secondFactor;
  return (
    <section aria-labelledby="second-factor">
      <h2 id="second-factor">{title}</h2>
      {codes ? (
        <RecoveryCodes
          codes={codes}
          onKept={() => {
            setCodes(undefined);
            onChanged();
          }}
        />
      ) : isOn ? (
        <>
          <p>{on}</p>
          <p role="alert">{areLost && lost}</p>
          <TurnOff onChanged={onChanged} />
        </>
      ) : key ? (
        <Confirm
          of={key}
          onCodes={(given) => {
            setKey(undefined);
            setCodes(given);
          }}
          onEnd={() => setKey(undefined)}
          onLost={() => {
            setKey(undefined);
            setLost(true);
            onChanged();
          }}
        />
      ) : (
        <>
          <p>{off}</p>
          <Begin onKey={setKey} onChanged={onChanged} />
        </>
      )}
    </section>
  );
}

/** Another tab, or a call whose answer was lost, may have turned it on: then the page shows that. */
async function unlessOn<T>(work: Promise<T>, onChanged: () => void): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ChatProblem) || error.code !== 'TOTP_ENABLED') throw error;
    onChanged();
    return undefined;
  }
}

function Begin({ onKey, onChanged }: { onKey: (key: Key) => void; onChanged: () => void }) {
  const chat = useChat();
  const { begin } = words.secondFactor;
  return (
    <Form
      submit={begin}
      send={async ({ password = '' }) => {
        const given = await unlessOn(
          dataOf(chat.rest.POST('/v1/me/totp', { body: { password } })),
          onChanged,
        );
        if (given) onKey(given);
      }}
    >
      {(problem) => <Password problem={problem} />}
    </Form>
  );
}

/** Nothing has changed yet: whoever leaves here begins anew, with another secret. */
function Confirm({
  of: { otpauthUrl, secret },
  onCodes,
  onEnd,
  onLost,
}: {
  of: Key;
  onCodes: (codes: readonly string[]) => void;
  onEnd: () => void;
  /** It is on, and the answer with the recovery codes did not arrive. */
  onLost: () => void;
}) {
  const chat = useChat();
  const { app, code, confirm, drawn, link, scan, typed } = words.secondFactor;
  return (
    <>
      <p>{scan}</p>
      <Suspense fallback={<p className="quiet">{words.loading}</p>}>
        <QrCode text={otpauthUrl} label={drawn} />
      </Suspense>
      <p>
        <a href={otpauthUrl}>{link}</a> {app}
      </p>
      <p>
        {typed} <code className="secret">{secret.replace(/.{4}(?=.)/g, '$& ')}</code>
      </p>
      <Form
        submit={confirm}
        send={async ({ code: given = '' }) => {
          const call = dataOf(chat.rest.POST('/v1/me/totp/confirm', { body: { code: given } }));
          const confirmed = await unlessOn(call, onLost);
          if (confirmed) onCodes(confirmed.recoveryCodes);
        }}
      >
        {(problem) => (
          <Field
            {...{ label: code, name: 'code', required: true, problem }}
            autoComplete="one-time-code"
            inputMode="numeric"
            autoFocus
          />
        )}
      </Form>
      <p>
        <button type="button" onClick={onEnd}>
          {words.cancel}
        </button>
      </p>
    </>
  );
}

function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const { kept, recovery, recoveryHint } = words.secondFactor;
  return (
    <>
      <p role="status" tabIndex={-1} ref={focus}>
        <strong>{recovery}</strong> {recoveryHint}
      </p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p>
        <button type="button" className="main" onClick={onKept}>
          {kept}
        </button>
      </p>
    </>
  );
}

const focus = (text: HTMLElement | null) => text?.focus();

function TurnOff({ onChanged }: { onChanged: () => void }) {
  const chat = useChat();
  const { turnOff } = words.secondFactor;
  return (
    <details>
      <summary>{turnOff}</summary>
      <Form
        submit={turnOff}
        send={async ({ password = '', code = '' }) => {
          await chat.rest.DELETE('/v1/me/totp', { body: { password, code } });
          onChanged();
        }}
      >
        {(problem) => (
          <>
            <Password problem={problem} />
            <Field
              {...{ label: words.logIn.code, name: 'code', required: true, problem }}
              autoComplete="one-time-code"
            />
          </>
        )}
      </Form>
    </details>
  );
}

function Password({ problem }: { problem: unknown }) {
  return (
    <Field
      {...{ label: words.settings.presentPassword, name: 'password', type: 'password', problem }}
      required
      autoComplete="current-password"
    />
  );
}
