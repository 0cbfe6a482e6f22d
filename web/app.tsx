import { Component, type ReactNode, Suspense, lazy, useEffect } from 'react';
import { useChat, useStore } from './client.tsx';
import { Applications } from './pages/applications.tsx';
import { Forgot } from './pages/forgot-password.tsx';
import { Inbox } from './pages/inbox.tsx';
import { Job } from './pages/job.tsx';
import { Jobs } from './pages/jobs.tsx';
import { LogIn } from './pages/log-in.tsx';
import { NewJob } from './pages/new-job.tsx';
import { Search } from './pages/search.tsx';
import { Settings } from './pages/settings.tsx';
import { SignUp } from './pages/sign-up.tsx';
import { Loading, Page } from './parts/page.tsx';
import { Announcer } from './parts/announcer.tsx';
import { Banner } from './parts/banner.tsx';
import { type PageName, PATHS, pageAt } from './paths.ts';
import { Link, navigate, useLocation } from './router.tsx';
import { words } from './words.ts';

const loadConversation = () => import('./pages/conversation.tsx');
/** It is the largest page, and never the first. */
const Conversation = lazy(async () => ({ default: (await loadConversation()).Conversation }));

/** The pages of those who are logged in, and those of everybody else. */
const inside: Partial<Record<PageName, (named: string) => ReactNode>> = {
  inbox: () => <Inbox />,
  conversation: (groupId) => <Conversation key={groupId} groupId={groupId} />,
  jobs: () => <Jobs />,
  newJob: () => <NewJob />,
  job: (jobId) => <Job key={jobId} jobId={jobId} />,
  applications: () => <Applications />,
  search: () => <Search />,
  settings: () => <Settings />,
};
const outside: Partial<Record<PageName, () => ReactNode>> = {
  logIn: () => <LogIn />,
  signUp: () => <SignUp />,
  forgot: () => <Forgot />,
};

/** Everything: what is around the pages, and the page of the path. */
export function App() {
  const user = useStore(useChat().user);
  const { path } = useLocation();
  const found = pageAt(path);
  const isOutside = found !== undefined && found.page in outside;

  useEffect(() => {
    // Whoever has logged in has no use for these pages.
    if (user && isOutside) navigate(PATHS.inbox, { replaces: true });
  }, [user, isOutside]);

  useEffect(() => {
    // So that it opens at once, and also when the line is down by then.
    if (user) void loadConversation().catch(() => undefined);
  }, [user]);

  return (
    <Announcer>
      <a className="skip" href="#content">
        {words.skip}
      </a>
      <header>
        <Navigation path={path} />
        {user && <Banner />}
      </header>
      <main id="content" tabIndex={-1} className={found?.page}>
        <Mishap key={path}>
          <Suspense fallback={<Loading />}>
            {found === undefined ? (
              <Nothing />
            ) : user ? (
              inside[found.page]?.(found.named)
            ) : (
              (outside[found.page]?.() ?? <LogIn next={location.pathname + location.search} />)
            )}
          </Suspense>
        </Mishap>
      </main>
    </Announcer>
  );
}

function Navigation({ path }: { path: string }) {
  const chat = useChat();
  const user = useStore(chat.user);
  const unread = useStore(chat.unread);
  const links: [to: string, label: string][] = user
    ? [
        [PATHS.inbox, words.nav.messages],
        [PATHS.jobs, words.nav.jobs],
        ...(user.role === 'applicant'
          ? [[PATHS.applications, words.nav.applications] as [string, string]]
          : []),
        [PATHS.search, words.nav.search],
        [PATHS.settings, words.nav.settings],
      ]
    : [
        [PATHS.logIn, words.nav.logIn],
        [PATHS.signUp, words.nav.signUp],
      ];
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

const Nothing = () => (
  <Page title={words.notFound.title}>
    <p>{words.notFound.text}</p>
    <Link to={PATHS.inbox}>{words.notFound.home}</Link>
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
