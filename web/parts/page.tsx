import { ChatProblem } from 'slay-e-chat-client';
import { type ReactNode, useEffect, useRef } from 'react';
import { sayWhy } from '../client.tsx';
import { PATHS } from '../paths.ts';
import { Link, useLocation } from '../router.tsx';
import { words } from '../words.ts';

/** The first page is where the browser has put the focus already. */
let isFirst = true;

/** What a page begins with: its title, which takes the focus when somebody comes from another page. */
export function Page({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    if (!isFirst) globalThis.scrollTo?.(0, 0);
    isFirst = false;
  }, []);
  useEffect(() => {
    document.title = `${title} – ${words.product}`;
  }, [title]);
  return (
    <>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1} dir="auto">
          {title}
        </h1>
        {actions}
      </div>
      {children}
    </>
  );
}

/** Says why something failed, to eyes and ears, and what helps. */
export function Problem({ of: error, retry }: { of: unknown; retry?: () => void }) {
  const { path } = useLocation();
  const needsFactor = error instanceof ChatProblem && error.code === 'SECOND_FACTOR_REQUIRED';
  return (
    <div role="alert" className={error === undefined ? undefined : 'problem'}>
      {error !== undefined && <p>{sayWhy(error)}</p>}
      {needsFactor
        ? path !== PATHS.settings && <Link to={PATHS.settings}>{words.secondFactor.toSettings}</Link>
        : error !== undefined &&
          retry && (
            <button type="button" onClick={retry}>
              {words.again}
            </button>
          )}
    </div>
  );
}

export const Loading = () => (
  <p className="quiet" role="status">
    {words.loading}
  </p>
);

export function More({ more }: { more: (() => void) | undefined }) {
  return more ? (
    <button type="button" className="more" onClick={more}>
      {words.more}
    </button>
  ) : null;
}

/** What a person has written: its direction is its own, its line breaks count, and its addresses are links. */
export function Prose({ text }: { text: string }) {
  return (
    <p className="prose" dir="auto">
      {text.split(ADDRESS).map((part, at) => (at % 2 === 1 ? <Address key={at} of={part} /> : part))}
    </p>
  );
}

/** What follows http(s) up to a space; a full stop or a bracket at the end belongs to the sentence. */
const ADDRESS = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}])/gi;

function Address({ of: address }: { of: string }) {
  if (!URL.canParse(address)) return address;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer" dir="ltr">
      {address}
    </a>
  );
}
