import type { ApplicationNews } from '../deliver/notification-facts.ts';
import { markup } from '../templates/html.ts';
import type { Section } from '../templates/section.ts';
import { oneLine } from '../templates/wording.ts';
import { aboutApplications, candidateFor } from './application.ts';
import type { Kind } from './kind.ts';

function section(applications: readonly ApplicationNews[]): Section {
  const all = applications.map(({ applicantName, jobTitle }) => ({
    applicant: oneLine(applicantName),
    job: oneLine(jobTitle),
  }));
  const [first] = all;
  return {
    subject:
      first && all.length === 1
        ? `${first.applicant} applied for ${first.job}`
        : `${all.length} new applications`,
    html: markup`<section>
<h2>New applications</h2>
<ul>
${all.map(({ applicant, job }) => markup`<li><bdi>${applicant}</bdi> applied for <bdi>${job}</bdi></li>`)}
</ul>
</section>`,
    text: ['New applications', ...all.map(({ applicant, job }) => `- ${applicant} applied for ${job}`)].join(
      '\n',
    ),
  };
}

/** Notifies the company that owns a job of a new application, online or not. */
export const applicationSubmitted: Kind<'ApplicationSubmitted' | 'ApplicationResubmitted', ApplicationNews> =
  {
    ...aboutApplications,
    async recipientsOf(event, { jobOf }) {
      const job = await jobOf(event.data.jobId);
      return job.status === 'none' ? [] : [candidateFor(event, 'application-submitted', job.companyId)];
    },
    section,
    push: (applications, last) => ({ title: section(applications).subject, body: last.jobTitle }),
  };
