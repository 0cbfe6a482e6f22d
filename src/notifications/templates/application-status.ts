import type { ApplicationNews } from '../deliver/notification-facts.ts';
import { type Html, markup } from './html.ts';
import { type Section, plainQuotation, quotation } from './section.ts';
import { oneLine } from './wording.ts';

/** What each status means to the applicant; the company's name goes before it. */
const MEANING: Record<ApplicationNews['status'], string> = {
  submitted: 'has your application',
  withdrawn: 'knows that you have withdrawn your application',
  screening: 'is looking at your application',
  interview: 'would like to interview you',
  offer: 'has an offer for you',
  hired: 'hires you',
  rejected: 'will not go on with your application',
};

/** The sentence of a letter's heading and of a push. */
export const statusSentence = ({ companyName, status }: ApplicationNews): string =>
  `${oneLine(companyName)} ${MEANING[status]}`;

/** The subject of a letter and the title of a push. */
export const statusSubject = ({ jobTitle }: ApplicationNews): string =>
  `Your application for ${oneLine(jobTitle)}`;

const inMarkup = (application: ApplicationNews): Html => markup`<section>
<h2>Your application for <bdi>${oneLine(application.jobTitle)}</bdi></h2>
<p><bdi>${oneLine(application.companyName)}</bdi> ${MEANING[application.status]}.</p>
${application.reason === null ? [] : [quotation(application.reason)]}
</section>`;

const inText = (application: ApplicationNews): string =>
  [
    `${statusSubject(application)}\n\n${statusSentence(application)}.`,
    ...(application.reason === null ? [] : [plainQuotation(application.reason)]),
  ].join('\n');

/** For the applicant: the company has moved on one application, or on several. */
export function applicationStatusSection(applications: readonly ApplicationNews[]): Section {
  const [first] = applications;
  return {
    subject:
      first && applications.length === 1
        ? statusSubject(first)
        : `${applications.length} of your applications have moved on`,
    html: markup`${applications.map(inMarkup)}`,
    text: applications.map(inText).join('\n\n'),
  };
}
