import type { ApplicationNews } from '../deliver/notification-facts.ts';
import { type Html, markup } from '../templates/html.ts';
import { type Section, plainQuotation, quotation } from '../templates/section.ts';
import { oneLine } from '../templates/wording.ts';
import { aboutApplications, candidateFor } from './application.ts';
import type { Kind } from './kind.ts';

/** The meaning of each status for the applicant. The company's name precedes it. */
const MEANING: Record<ApplicationNews['status'], string> = {
  submitted: 'has your application',
  withdrawn: 'knows that you have withdrawn your application',
  screening: 'is looking at your application',
  interview: 'would like to interview you',
  offer: 'has an offer for you',
  hired: 'has decided to hire you',
  rejected: 'has decided not to proceed with your application',
};

/** Returns the sentence of a letter's heading and of a push. */
const statusSentence = ({ companyName, status }: ApplicationNews): string =>
  `${oneLine(companyName)} ${MEANING[status]}`;

/** Returns the subject of a letter and the title of a push. */
const statusSubject = ({ jobTitle }: ApplicationNews): string => `Your application for ${oneLine(jobTitle)}`;

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

function section(applications: readonly ApplicationNews[]): Section {
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

/** Notifies an applicant of the status of an application, online or not. */
export const applicationStatus: Kind<
  'ApplicationStatusChanged' | 'ApplicationReconsidered',
  ApplicationNews
> = {
  ...aboutApplications,
  recipientsOf: async (event) => [candidateFor(event, 'application-status', event.data.applicantId)],
  section,
  push: (_applications, last) => ({ title: statusSubject(last), body: statusSentence(last) }),
};
