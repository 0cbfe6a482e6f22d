import type { ApplicationNews } from '../deliver/notification-facts.ts';
import { markup } from './html.ts';
import type { Section } from './section.ts';
import { oneLine } from './wording.ts';

/** For the company: somebody applied for one of its jobs. */
export function applicationSubmittedSection(applications: readonly ApplicationNews[]): Section {
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
