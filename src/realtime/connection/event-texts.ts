import type { ClientEvent, ServerEvent } from './protocol.ts';

interface RequestText {
  summary: string;
  description: string;
  /** What the ack of success says. */
  answer: string;
}

const CHANGE = 'The `seq` at which the message stands now, and the `position` for `X-Min-Position`.';

/** What each event of a client is for. */
export const requestTexts: Record<ClientEvent, RequestText> = {
  sendMessage: {
    summary: 'Says something in a group',
    description:
      'Make a `clientMsgId` for each message, and repeat with the same one until there is an answer: the message is sent once.',
    answer: 'Where the message stands. `duplicate` says that an earlier try had sent it.',
  },
  editMessage: {
    summary: 'Changes the text of one’s own message',
    description: 'The other members hear `messageEdited`. The same text again changes nothing.',
    answer: CHANGE,
  },
  deleteMessage: {
    summary: 'Deletes a message',
    description: 'For its author and for admins of the group. It keeps its place, without text and files.',
    answer: CHANGE,
  },
  addReaction: {
    summary: 'Adds one’s reaction to a message',
    description: 'A reaction that is there already changes nothing.',
    answer: CHANGE,
  },
  removeReaction: {
    summary: 'Takes back one’s reaction',
    description: 'A reaction that is not there changes nothing.',
    answer: CHANGE,
  },
  markRead: {
    summary: 'Moves one’s read marker',
    description: 'It never moves back. The group hears `messagesRead`, one’s own sockets `unreadChanged`.',
    answer: 'What is left to read in the group.',
  },
  typing: {
    summary: 'Says that one is typing, or has stopped',
    description: 'Send it now and then while the user types. What is sent too often is dropped.',
    answer: 'Nothing: whether anybody heard it is not known.',
  },
  joinRoom: {
    summary: 'Resumes hearing a group',
    description:
      'After `leaveRoom`, or for a thread whose room the socket has not entered. Call `sync` if a head is above what you know.',
    answer: 'The heads of the group, read after the socket began to hear it.',
  },
  leaveRoom: {
    summary: 'Stops hearing a group on this socket',
    description: 'The user stays a member.',
    answer: 'The last `seq` at that time.',
  },
  sync: {
    summary: 'Asks for what was missed',
    description:
      'On connect, after a gap in `seq` or `roster`, and when a head is above what you know. With `afterRoster`, the changes of the members come too.',
    answer:
      'For each group the events after `afterSeq`. Call again while `complete` is false; forget a group with `reset` and ask from 0; `denied` are those of others.',
  },
  refreshAuth: {
    summary: 'Extends the session of the socket',
    description: 'With a new access token of the same user, after `sessionExpiring`.',
    answer: 'The seconds until the new token expires.',
  },
};

interface PushText {
  summary: string;
  description: string;
}

const IN_ORDER =
  'Apply it if `seq` is your last one plus 1; drop it if it is lower; call `sync` if it is higher.';
const OF_ROSTER = 'The same rule holds for `roster` as for `seq`.';

/** When each event of the server comes, and what a client does then. */
export const pushTexts: Record<ServerEvent, PushText> = {
  joinRoom: {
    summary: 'The socket now hears a group',
    description:
      'At connection, and when the user gets into a group. Call `sync` if a head is above what you know.',
  },
  leaveRoom: {
    summary: 'The socket no longer hears a group',
    description: 'The user has left the group or was removed. Forget the group.',
  },
  messageSent: { summary: 'Somebody said something', description: IN_ORDER },
  messageEdited: {
    summary: 'A message has another text',
    description: `${IN_ORDER} \`text\` is null for those who do not see the message.`,
  },
  messageDeleted: {
    summary: 'A message was deleted',
    description: `${IN_ORDER} Show its place without text, files and reactions.`,
  },
  reactionAdded: { summary: 'Somebody reacted to a message', description: IN_ORDER },
  reactionRemoved: { summary: 'Somebody took back a reaction', description: IN_ORDER },
  memberJoined: {
    summary: 'Somebody is in the group now, or has another role',
    description: `${OF_ROSTER} Add the person to the list of members.`,
  },
  memberLeft: {
    summary: 'A member left the group',
    description: `${OF_ROSTER} Take the person out of the list of members.`,
  },
  memberRemoved: {
    summary: 'A member was removed',
    description: `${OF_ROSTER} Take the person out of the list of members.`,
  },
  groupClosed: { summary: 'The group takes no more messages', description: OF_ROSTER },
  groupReopened: { summary: 'The group takes messages again', description: OF_ROSTER },
  fileStatusChanged: {
    summary: 'A file was uploaded, found clean, or refused',
    description:
      'To the uploader, and to those who see a message with the file. It may be lost; `GET /v1/files/{fileId}` tells too.',
  },
  messagesRead: {
    summary: 'A member has read up to a message',
    description: 'To the group, but not to the socket that said so. It may be lost.',
  },
  unreadChanged: {
    summary: 'What the user has not read has changed, other than by a new message',
    description:
      'To the user’s own sockets. Count new messages of others after `headSeq` yourself. Without `total`, change yours by the difference. It may be lost.',
  },
  typing: {
    summary: 'A member is typing, or has stopped',
    description:
      'To the group, but not to the socket that said so. It may be lost: let it end by itself after some seconds. Ignore your own user.',
  },
  presence: {
    summary: 'A member came online, or went',
    description: 'To the other members. It may be lost; the list of members tells too.',
  },
  profileChanged: {
    summary: 'A member has another name',
    description: 'To those who share a group with the person. It may be lost.',
  },
  heads: {
    summary: 'How far groups have come',
    description:
      'Every 15 s, for groups that moved. Call `sync` where a head is above what you know: a push was lost.',
  },
  sessionExpiring: {
    summary: 'The access token ends soon',
    description: 'A minute before. Send `refreshAuth` with a new one.',
  },
  sessionEnded: {
    summary: 'The session of the socket has ended',
    description:
      'The connection closes then. After `TOKEN_REVOKED`, log in again; otherwise reconnect with a new token.',
  },
  draining: {
    summary: 'The server is about to stop',
    description: 'The connection closes then. Reconnect after that time, to another server.',
  },
};
