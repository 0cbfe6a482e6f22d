import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat, useLoad } from '../client.tsx';
import { Link } from '../router.tsx';
import { words } from '../words.ts';
import { useAnnounce } from './announcer.tsx';
import { Field, Form } from './form.tsx';
import { Prose } from './page.tsx';
import { Time } from './time.tsx';

type Data = components['schemas']['Application'];
type Status = components['schemas']['ChangeApplicationStatus']['status'];

const CHOSEN: readonly Status[] = ['screening', 'interview', 'offer', 'hired', 'rejected'];

/** An application, as the applicant or the company's people see it. */
export function Application({
  application,
  onChanged,
  isOfStaff = false,
}: {
  application: Data;
  onChanged: () => void;
  isOfStaff?: boolean;
}) {
  const { applicant, coverLetter, groupId, reason, status, submittedAt } = application;
  const { cover, statuses } = words.applications;
  const Heading = isOfStaff ? 'h3' : 'h2';
  return (
    <li>
      <Heading dir="auto">
        {isOfStaff ? applicant.displayName : <JobTitle jobId={application.jobId} />}
      </Heading>
      <p>
        <span className="tag">{statuses[status]}</span> <Time at={submittedAt} />
        {reason !== null && <span dir="auto"> {reason}</span>}
      </p>
      {coverLetter !== null && (
        <details>
          <summary>{cover}</summary>
          <Prose text={coverLetter} />
        </details>
      )}
      <p>
        <Link to={`/c/${groupId}`}>{words.job.open}</Link>
      </p>
      {isOfStaff && status !== 'withdrawn' && <Change application={application} onChanged={onChanged} />}
    </li>
  );
}

function JobTitle({ jobId }: { jobId: string }) {
  const chat = useChat();
  const { data } = useLoad(
    () => dataOf(chat.rest.GET('/v1/jobs/{jobId}', { params: { path: { jobId } } })),
    [jobId],
  );
  return <Link to={`/jobs/${jobId}`}>{data?.title ?? words.loading}</Link>;
}

function Change({ application, onChanged }: { application: Data; onChanged: () => void }) {
  const chat = useChat();
  const announce = useAnnounce();
  const [isOpen, setOpen] = useState(false);
  const { change, changed, of, reason, reasonHint, status, statuses } = words.applications;
  const id = `status-${application.id}`;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {change}
        <span className="hidden"> {of(application.applicant.displayName)}</span>
      </summary>
      <Form
        submit={change}
        send={async ({ status: next, reason: why }) => {
          const body = { status: next as Status, ...(why !== undefined && { reason: why }) };
          const params = { path: { applicationId: application.id } };
          await dataOf(chat.rest.PATCH('/v1/applications/{applicationId}', { params, body }));
          announce(changed);
          setOpen(false);
          onChanged();
        }}
      >
        {(problem) => (
          <>
            <div className="field">
              <label htmlFor={id}>{status}</label>
              <select id={id} name="status" defaultValue={application.status}>
                {CHOSEN.map((each) => (
                  <option key={each} value={each}>
                    {statuses[each]}
                  </option>
                ))}
              </select>
            </div>
            <Field label={reason} name="reason" hint={reasonHint} problem={problem} />
          </>
        )}
      </Form>
    </details>
  );
}
