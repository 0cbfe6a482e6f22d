import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat, usePages } from '../client.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { SearchForm } from '../parts/search-form.tsx';
import { Time } from '../parts/time.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { Act } from './act.tsx';
import { Filter, queryOf } from './filter.tsx';

type Posting = components['schemas']['Posting'];

/** The jobs of all companies, which operators can take down. */
export function Postings() {
  const chat = useChat();
  const { query } = useLocation();
  const asked = queryOf(query, ['q', 'status', 'companyId']);
  const { items, more, problem, reload } = usePages(
    (cursor) =>
      dataOf(
        chat.rest.GET('/v1/admin/jobs', {
          params: { query: { ...(asked as Pick<Posting, 'status'>), ...cursor } },
        }),
      ),
    [JSON.stringify(asked)],
  );
  const [said, setSaid] = useState<string>();
  const { none, search, status, statuses, submit, takeDown, title } = words.admin.jobs;
  const go = (changes: Record<string, string>) =>
    navigate(`${PATHS.adminJobs}?${new URLSearchParams({ ...asked, ...changes })}`);
  async function close({ jobId, title: name }: Posting, reason: string): Promise<void> {
    const params = { path: { jobId } };
    await chat.rest.POST('/v1/admin/jobs/{jobId}/close', { params, body: { reason } });
    setSaid(takeDown.done(name));
    reload();
  }
  return (
    <Page title={title}>
      <SearchForm label={search} submit={submit} value={asked['q'] ?? ''} onSearch={(q) => go({ q })} />
      <Filter
        label={status}
        options={statuses}
        value={asked['status']}
        onChoose={(to) => go({ status: to })}
      />
      <p role="status">{said}</p>
      <Problem of={problem} retry={reload} />
      {items === undefined && problem === undefined && <Loading />}
      {items?.length === 0 && <p className="quiet">{none}</p>}
      <ul className="cards">
        {items?.map((job) => (
          <li key={job.jobId}>
            <h2 dir="auto">{job.title}</h2>
            <p>
              <Link to={`${PATHS.adminUsers}/${job.company.companyId}`} dir="auto">
                {job.company.displayName}
              </Link>{' '}
              <span className="tag">{statuses[job.status]}</span>
            </p>
            <p className="quiet">
              <Time at={job.postedAt} as="full" /> · {words.admin.jobs.applications(job.applications)}
            </p>
            {job.status === 'open' && (
              <div className="row">
                <Act
                  label={takeDown.label}
                  name={takeDown.name(job.title)}
                  question={takeDown.question(job.title)}
                  act={({ reason }) => close(job, reason)}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
      <More more={more} />
    </Page>
  );
}
