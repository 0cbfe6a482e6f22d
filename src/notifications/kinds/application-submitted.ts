import { applicationOf } from '../../commands/application/application.ts';
import { jobOf } from '../../commands/job/job.ts';
import type { ApplicationNews } from '../deliver/notification-facts.ts';
import { markup } from '../templates/html.ts';
import type { Section } from '../templates/section.ts';
import { oneLine } from '../templates/wording.ts';
import { aboutApplications, candidateFor } from './application.ts';
import type { Kind } from './kind.ts';
import { staffToTell } from './staff.ts';

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

/** Notifies the people of the company who see to it of a new application, online or not. */
export const applicationSubmitted: Kind<'ApplicationSubmitted' | 'ApplicationResubmitted', ApplicationNews> =
  {
    ...aboutApplications,
    async recipientsOf(event, deciding) {
      const { jobId, applicantId } = event.data;
      const job = await deciding.state(jobOf(jobId));
      if (job.status === 'none') return [];
      const application = await deciding.state(applicationOf(jobId, applicantId));
      const assigneeId = application.status === 'none' ? null : application.assigneeId;
      const { companyId } = job;
      const told = await staffToTell({ companyId, jobId, assigneeId }, deciding);
      return told.map((userId) => candidateFor(event, 'application-submitted', userId));
    },
    section,
    push: (applications, last) => ({ title: section(applications).subject, body: last.jobTitle }),
  };
