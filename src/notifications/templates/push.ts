import type { News } from '../deliver/look-again.ts';
import type { PushPayload } from '../deliver/pusher.ts';
import { statusSentence, statusSubject } from './application-status.ts';
import { applicationSubmittedSection } from './application-submitted.ts';
import { filesOf, messagesSection } from './messages.ts';
import { oneLine } from './wording.ts';

/**
 * A push service need not take more than 4,096 bytes (RFC 8030, 7.2), 103 of them for the encryption; in JSON a UTF-16
 * unit takes 6 bytes at worst, so these are 2,400.
 */
const MAX_TITLE = 100;
const MAX_BODY = 300;

/** What the batch's push says: its most important news, the last of them, and how many more there are. */
export function pushPayload(news: News, tag: string): PushPayload {
  const { title, body, groupId } = mostImportant(news);
  return { tag, title: oneLine(title, MAX_TITLE), body: oneLine(body, MAX_BODY), groupId };
}

function mostImportant({ statuses, submitted, messages }: News): Omit<PushPayload, 'tag'> {
  const status = statuses.at(-1);
  if (status) {
    const { groupId } = status;
    return { title: statusSubject(status), body: statusSentence(status), groupId };
  }
  const application = submitted.at(-1);
  if (application) {
    const { groupId, jobTitle } = application;
    return { title: applicationSubmittedSection(submitted).subject, body: jobTitle, groupId };
  }
  const message = messages.at(-1);
  if (!message) throw new TypeError('a push without news');
  const said = message.text ?? filesOf(message);
  const body = messages.length === 1 ? said : `${oneLine(message.senderName)}: ${said}`;
  return { title: messagesSection(messages).subject, body, groupId: message.groupId };
}
