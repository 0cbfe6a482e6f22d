import { Map as ImmutableMap } from 'immutable';
import type { Folded } from '../../commands/aggregate-cache.ts';
import type { ChatGroup, ExistingGroup, Members } from '../../commands/chat-group/chat-group.ts';
import type { EventOf } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { MessageNews } from '../deliver/notification-facts.ts';
import { type MessageAudience, audienceOf } from '../decide/audience.ts';
import { type Html, markup } from '../templates/html.ts';
import { type Section, plainQuotation, quotation } from '../templates/section.ts';
import { count, oneLine } from '../templates/wording.ts';
import type { Deciding, Kind, Recipients } from './kind.ts';
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

type Sent = Recorded<EventOf<'MessageSent'>>;

/** Returns the recipients of a message, or resolves with them when the company's people have to be read. */
function recipientsIn(
  { state, revision }: Folded<ChatGroup>,
  event: Sent,
  deciding: Deciding,
): Recipients | Promise<Recipients> {
  if (state.status === 'none') return [];
  const roster = revision + 1;
  if (state.kind === 'job' || state.companyId === null) return audienceOf(event, state.members, roster);
  const known = deciding.told.get(state);
  if (known) return selectedOf(event, known, roster);
  return peopleToTell(state, state.companyId, deciding).then((told) => {
    deciding.told.set(state, told);
    return selectedOf(event, told, roster);
  });
}

const selectedOf = (event: Sent, told: Members, roster: number): MessageAudience => ({
  ...audienceOf(event, told, roster),
  isSelected: true,
});

/** Resolves with the people who are told of the messages of a company's room, as its members. */
async function peopleToTell(group: ExistingGroup, companyId: UserId, deciding: Deciding): Promise<Members> {
  const { kind, members, jobId, assigneeId, applicantId } = group;
  const staff = await (kind === 'team'
    ? teamOf({ companyId, jobId, members }, deciding)
    : staffToTell({ companyId, jobId, assigneeId, members }, deciding));
  const applicant = applicantId !== null && members.has(applicantId) ? [applicantId] : [];
  return ImmutableMap([...applicant, ...staff].map((userId) => [userId, 'member']));
}

/** Notifies those who were away of a message: the members of a group, in a thread its applicant and who sees to it. */
export const message: Kind<'MessageSent', MessageNews> = {
  topic: 'messages',
  isForMembers: true,
  recipientsOf(event, deciding) {
    const group = deciding.groupOf(event);
    return group instanceof Promise
      ? group.then((read) => recipientsIn(read, event, deciding))
      : recipientsIn(group, event, deciding);
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
