import { dataOf } from 'slay-e-chat-client';
import { useChat, usePages, useUser } from '../client.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { SearchForm } from '../parts/search-form.tsx';
import { shortly } from '../parts/time.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';

/** All jobs, those that a search finds, or those of one's company. */
export function Jobs() {
  const chat = useChat();
  const user = useUser();
  const { query } = useLocation();
  const q = query.get('q') ?? '';
  const isMine = query.get('mine') === 'true';
  const { items, more, problem, reload } = usePages(
    (cursor) => {
      const asked = { ...(q !== '' && { q }), ...(isMine && { mine: 'true' as const }), ...cursor };
      return dataOf(chat.rest.GET('/v1/jobs', { params: { query: asked } }));
    },
    [q, isMine],
  );
  const { all, applied, closed, filter, mine, none, post, posted, search, submit, title } = words.jobs;
  const isCompany = user.role === 'company';

  return (
    <Page title={isMine ? mine : title} actions={isCompany && <Link to={PATHS.newJob}>{post}</Link>}>
      {isCompany && (
        <nav aria-label={filter} className="tabs">
          <Link to={PATHS.jobs} aria-current={isMine ? undefined : 'page'}>
            {all}
          </Link>
          <Link to={`${PATHS.jobs}?mine=true`} aria-current={isMine ? 'page' : undefined}>
            {mine}
          </Link>
        </nav>
      )}
      <SearchForm
        label={search}
        submit={submit}
        value={q}
        onSearch={(asked) =>
          navigate(`${PATHS.jobs}?${new URLSearchParams({ q: asked, ...(isMine && { mine: 'true' }) })}`)
        }
      />
      <Problem of={problem} retry={reload} />
      {items === undefined && problem === undefined && <Loading />}
      {items?.length === 0 && <p role="status">{none}</p>}
      <ul className="cards">
        {items?.map((job) => (
          <li key={job.jobId}>
            <h2 dir="auto">
              <Link to={`${PATHS.jobs}/${job.jobId}`}>{job.title}</Link>
            </h2>
            <p dir="auto">
              {job.company.name}
              {job.location !== null && ` · ${job.location}`}
            </p>
            <p className="quiet">
              {posted(shortly(job.postedAt))}
              {job.status === 'closed' && <span className="tag">{closed}</span>}
              {job.applied && <span className="tag">{applied}</span>}
            </p>
          </li>
        ))}
      </ul>
      <More more={more} />
    </Page>
  );
}
