import { Map as ImmutableMap } from 'immutable';
import type { Members } from '../../commands/chat-group/chat-group.ts';
import type { MessageNews } from '../deliver/notification-facts.ts';
import { audienceOf } from '../decide/audience.ts';
import { type Html, markup } from '../templates/html.ts';
import { type Section, plainQuotation, quotation } from '../templates/section.ts';
import { count, oneLine } from '../templates/wording.ts';
import type { Kind } from './kind.ts';
import { staffToTell, teamOf } from './staff.ts';

/** Maximum number of messages that a letter quotes. The others are only counted. */
const MAX_QUOTED = 30;

interface Conversation {
  name: string;
  messages: MessageNews[];
}

function byGroup(messages: readonly MessageNews[]): Conversation[] {
  const groups = new Map<string, Conversation>();
  for (const message of messages) {
    const group = groups.get(message.groupId) ?? { name: oneLine(message.groupName), messages: [] };
    group.messages.push(message);
    groups.set(message.groupId, group);
  }
  return [...groups.values()];
}

function subjectOf(conversations: Conversation[], total: number): string {
  const [first, ...others] = conversations;
  if (others.length > 0)
    return `${count(total, 'new message')} in ${count(conversations.length, 'conversation')}`;
  const name = first?.name ?? '';
  return total === 1
    ? `${oneLine(first?.messages[0]?.senderName ?? '')} wrote in ${name}`
    : `${total} new messages in ${name}`;
}

/** Returns the names of a message's files. A message without text has files, even when all of them were refused. */
const filesOf = ({ fileNames }: MessageNews): string =>
  fileNames.length === 0 ? 'a file' : fileNames.map((name) => oneLine(name)).join(', ');

const hasFiles = ({ text, fileNames }: MessageNews) => text === null || fileNames.length > 0;

const inMarkup = (message: MessageNews): Html => markup`<article>
<h3><bdi>${oneLine(message.senderName)}</bdi></h3>
${message.text === null ? [] : [quotation(message.text)]}
${hasFiles(message) ? [markup`<p>Attached: <bdi>${filesOf(message)}</bdi></p>`] : []}
</article>`;

const inText = (message: MessageNews): string =>
  [
    `${oneLine(message.senderName)}:`,
    ...(message.text === null ? [] : [plainQuotation(message.text)]),
    ...(hasFiles(message) ? [`Attached: ${filesOf(message)}`] : []),
  ].join('\n');

/** Writes the section for one or more messages, of one or more groups. */
function section(messages: readonly MessageNews[]): Section {
  const conversations = byGroup(messages.slice(0, MAX_QUOTED));
  const unquoted = messages.length - MAX_QUOTED;
  const more = unquoted > 0 ? `And ${count(unquoted, 'more message')}.` : undefined;
  return {
    subject: subjectOf(byGroup(messages), messages.length),
    html: markup`${conversations.map(
      ({ name, messages: said }) => markup`<section>
<h2>New in <bdi>${name}</bdi></h2>
${said.map(inMarkup)}
</section>`,
    )}
${more === undefined ? [] : [markup`<p>${more}</p>`]}`,
    text: [
      ...conversations.map(({ name, messages: said }) =>
        [`New in ${name}`, ...said.map(inText)].join('\n\n'),
      ),
      ...(more === undefined ? [] : [more]),
    ].join('\n\n'),
  };
}

/** Notifies those who were away of a message: the members of a group, in a thread its applicant and who sees to it. */
export const message: Kind<'MessageSent', MessageNews> = {
  topic: 'messages',
  isForMembers: true,
  async recipientsOf(event, deciding) {
    const { state, revision } = await deciding.groupOf(event);
    if (state.status === 'none') return [];
    const { kind, members, companyId, jobId, assigneeId, applicantId } = state;
    if (kind === 'job' || companyId === null) return audienceOf(event, members, revision + 1);
    const staff = await (kind === 'team'
      ? teamOf({ companyId, jobId, members }, deciding)
      : staffToTell({ companyId, jobId, assigneeId, members }, deciding));
    const applicant = applicantId !== null && members.has(applicantId) ? [applicantId] : [];
    const told: Members = ImmutableMap([...applicant, ...staff].map((userId) => [userId, 'member']));
    return { ...audienceOf(event, told, revision + 1), isSelected: true };
  },
  async news(facts, recipientId, notifications) {
    const ids = notifications.map(({ subjectId }) => subjectId);
    const messages = await facts.messages(recipientId, ids);
    const known = notifications.flatMap(({ eventId, subjectId }) => {
      const found = messages.get(subjectId);
      return found ? [[eventId, found] as const] : [];
    });
    return new Map(known);
  },
  reasonToSkip(news) {
    if (!news || news.isDeleted) return 'deleted';
    return news.isRead ? 'read' : undefined;
  },
  section,
  push(messages, last) {
    const said = last.text ?? filesOf(last);
    const body = messages.length === 1 ? said : `${oneLine(last.senderName)}: ${said}`;
    return { title: section(messages).subject, body };
  },
};
