import { Component, type ReactNode, Suspense, useEffect } from 'react';
import { type Area, areas, outside } from './areas.tsx';
import { useChat, useStore } from './client.tsx';
import { invitation } from './invitation.ts';
import { LogIn } from './pages/log-in.tsx';
import { Loading, Page } from './parts/page.tsx';
import { Announcer } from './parts/announcer.tsx';
import { PATHS, pageAt } from './paths.ts';
import { Link, navigate, useLocation } from './router.tsx';
import { words } from './words.ts';

/** Everything: what is around the pages, and the page of the path. */
export function App() {
  const user = useStore(useChat().user);
  const { path } = useLocation();
  const area = user ? areas[user.role] : outside;
  const found = pageAt(path);
  const page = found && area.pages[found.page];
  // Whoever has logged in has no use for the pages of strangers, and everybody begins at `/`.
  const isElsewhere = user && !page && found && (found.page === 'inbox' || found.page in outside.pages);

  useEffect(() => {
    if (!isElsewhere) return;
    const isInvited = area.pages.invitation !== undefined && invitation() !== undefined;
    navigate(isInvited ? PATHS.invitation : area.start, { replaces: true });
  }, [isElsewhere, area]);

  useEffect(() => {
    // So that it opens at once, and also when the line is down by then.
    void area.preload?.().catch(() => undefined);
  }, [area]);

  return (
    <Announcer>
      <a className="skip" href="#content">
        {words.skip}
      </a>
      <header>
        <Navigation path={path} links={area.links} />
        {area.head}
      </header>
      <main id="content" tabIndex={-1} className={found?.page}>
        {/* Nothing that one user has seen stays for the next one. */}
        <Mishap key={`${path} ${user?.id}`}>
          <Suspense fallback={<Loading />}>
            {page ? (
              page(found.named)
            ) : !user && found ? (
              <LogIn next={location.pathname + location.search} />
            ) : (
              !isElsewhere && <Nothing start={area.start} />
            )}
          </Suspense>
        </Mishap>
      </main>
    </Announcer>
  );
}

function Navigation({ path, links }: { path: string } & Pick<Area, 'links'>) {
  const unread = useStore(useChat().unread);
  return (
    <nav aria-label={words.nav.main}>
      <ul>
        {links.map(([to, label]) => (
          <li key={to}>
            <Link to={to} aria-current={path === to ? 'page' : undefined}>
              {label}
              {to === PATHS.inbox && unread ? (
                <>
                  {' '}
                  <span className="count">
                    {words.number(unread)}
                    <span className="hidden"> {words.unread(unread)}</span>
                  </span>
                </>
              ) : null}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const Nothing = ({ start }: Pick<Area, 'start'>) => (
  <Page title={words.notFound.title}>
    <p>{words.notFound.text}</p>
    <Link to={start}>{words.notFound.home}</Link>
  </Page>
);

/** A page whose script could not be loaded: the line is down, or another version was installed meanwhile. */
class Mishap extends Component<{ children: ReactNode }, { has: boolean }> {
  override state = { has: false };
  static getDerivedStateFromError = () => ({ has: true });
  override render() {
    if (!this.state.has) return this.props.children;
    return (
      <div role="alert" className="problem">
        <p>{words.problem}</p>
        <button type="button" onClick={() => location.reload()}>
          {words.again}
        </button>
      </div>
    );
  }
}
