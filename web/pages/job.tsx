import { type Thread, type components, dataOf } from 'slay-e-chat-client';
import { useMemo, useState } from 'react';
import { useAction, useChat, useLoad, usePages, useStore, useUser } from '../client.tsx';
import { Application } from '../parts/application.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Form, TextArea } from '../parts/form.tsx';
import { Row } from '../parts/inbox-list.tsx';
import { Loading, More, Page, Problem, Prose } from '../parts/page.tsx';
import { shortly } from '../parts/time.tsx';
import { Link } from '../router.tsx';
import { words } from '../words.ts';

type JobData = components['schemas']['Job'];

/** One job: to apply for, or with those who have applied. */
export function Job({ jobId }: { jobId: string }) {
  const chat = useChat();
  const user = useUser();
  const { data, problem, reload } = useLoad(async () => {
    const [job, me] = await Promise.all([
      dataOf(chat.rest.GET('/v1/jobs/{jobId}', { params: { path: { jobId } } })),
      dataOf(chat.rest.GET('/v1/me')),
    ]);
    return { job, isOwn: me.companyId === job.companyId };
  }, [jobId]);
  if (!data)
    return (
      <Page title={words.jobs.title}>{problem === undefined ? <Loading /> : <Problem of={problem} />}</Page>
    );
  const { job, isOwn } = data;
  return (
    <Page key={job.jobId} title={job.title}>
      <p dir="auto">
        {job.company.name}
        {job.location !== null && ` · ${job.location}`}
        <span className="quiet"> · {words.jobs.posted(shortly(job.postedAt))}</span>
        {job.status === 'closed' && <span className="tag">{words.jobs.closed}</span>}
      </p>
      <Prose text={job.description} />
      <p className="quiet">{job.conversations === 'private' ? words.job.private : words.job.inGroup}</p>
      {user.role === 'applicant' && <Applying job={job} onChanged={reload} />}
      {isOwn && <Hiring job={job} onChanged={reload} />}
    </Page>
  );
}

function Applying({ job, onChanged }: { job: JobData; onChanged: () => void }) {
  const chat = useChat();
  const { jobId } = job;
  const own = useLoad(async () => {
    if (!job.applied) return undefined;
    const query = { jobId, limit: 1 };
    return (await dataOf(chat.rest.GET('/v1/applications', { params: { query } }))).data[0];
  }, [jobId, job.applied]);
  const { applied, apply, closed, cover, coverHint, open } = words.job;
  if (job.applied)
    return (
      <>
        <p role="status">
          {applied}
          {own.data && <span className="tag">{words.applications.statuses[own.data.status]}</span>}
        </p>
        {own.data && (
          <Link to={`/c/${own.data.groupId}`} className="button main">
            {open}
          </Link>
        )}
      </>
    );
  if (job.status === 'closed') return <p>{closed}</p>;
  return (
    <section aria-labelledby="apply">
      <h2 id="apply">{apply}</h2>
      <Form
        submit={apply}
        send={async ({ coverLetter }) => {
          const body = coverLetter === undefined ? {} : { coverLetter };
          await dataOf(
            chat.rest.POST('/v1/jobs/{jobId}/applications', { params: { path: { jobId } }, body }),
          );
          onChanged();
        }}
      >
        {(problem) => <TextArea label={cover} name="coverLetter" hint={coverHint} problem={problem} />}
      </Form>
    </section>
  );
}

function Hiring({ job, onChanged }: { job: JobData; onChanged: () => void }) {
  const chat = useChat();
  const { jobId } = job;
  const [isAsking, setAsking] = useState(false);
  const close = useAction(async () => {
    await dataOf(chat.rest.POST('/v1/jobs/{jobId}/close', { params: { path: { jobId } } }));
    onChanged();
  });
  const { close: closeIt, closeHint, group, team } = words.job;
  return (
    <>
      <p className="row">
        <Link to={`/c/${job.groupId}`} className="button main">
          {job.conversations === 'private' ? team : group}
        </Link>
        {job.status === 'open' && (
          <button type="button" onClick={() => setAsking(true)}>
            {closeIt}
          </button>
        )}
      </p>
      <Problem of={close.problem} />
      {isAsking && (
        <Confirm question={closeHint} yes={closeIt} onYes={close.run} onEnd={() => setAsking(false)} />
      )}
      {job.conversations === 'private' && <Threads jobId={jobId} />}
      <Applicants jobId={jobId} />
    </>
  );
}

function Threads({ jobId }: { jobId: string }) {
  const chat = useChat();
  const [isUnread, setUnread] = useState(false);
  const threads = useMemo(
    () => chat.threads(jobId, isUnread ? { unread: 'true' } : {}),
    [chat, jobId, isUnread],
  );
  const { status, items, problem, hasMore } = useStore(threads);
  return (
    <section aria-labelledby="threads">
      <h2 id="threads">{words.inbox.title}</h2>
      <label className="choice">
        <input type="checkbox" checked={isUnread} onChange={() => setUnread(!isUnread)} />
        {words.applications.unread}
      </label>
      {status === 'loading' && <Loading />}
      <Problem of={problem} />
      {status === 'ready' && items.length === 0 && <p className="quiet">{words.applications.none}</p>}
      <ul className="rows">
        {items.map((thread) => (
          <Row
            key={thread.groupId}
            row={thread}
            name={thread.applicant.displayName}
            note={<Waiting {...thread} />}
          >
            <span className="tag">{words.applications.statuses[thread.status]}</span>
          </Row>
        ))}
      </ul>
      <More more={hasMore ? () => void threads.loadMore() : undefined} />
    </section>
  );
}

function Waiting({ waitingOn, waitingSince }: Thread) {
  const { waitingOnThem, waitingOnYou } = words.applications;
  const since = shortly(waitingSince);
  return waitingOn === 'company' ? <strong>{waitingOnYou(since)}</strong> : waitingOnThem(since);
}

function Applicants({ jobId }: { jobId: string }) {
  const chat = useChat();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/applications', { params: { query: { jobId, ...cursor } } })),
    [jobId],
  );
  return (
    <section aria-labelledby="applicants">
      <h2 id="applicants">{words.applications.title}</h2>
      {items === undefined && problem === undefined && <Loading />}
      <Problem of={problem} retry={reload} />
      {items?.length === 0 && <p className="quiet">{words.applications.none}</p>}
      <ul className="cards">
        {items?.map((application) => (
          <Application key={application.id} application={application} onChanged={reload} isOfStaff />
        ))}
      </ul>
      <More more={more} />
    </section>
  );
}
