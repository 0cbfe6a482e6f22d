import { messageChangedAnswer, messageSentAnswer } from '../../protocol/answers.ts';
import type { Command, Lookups } from '../../commands/command.ts';
import type { HandleCommand, Outcome } from '../../commands/handle-command.ts';
import { deleteMessage } from '../../commands/message/delete-message.ts';
import { editMessage } from '../../commands/message/edit-message.ts';
import { addReaction, removeReaction } from '../../commands/message/react-to-message.ts';
import { sendMessage } from '../../commands/message/send-message.ts';
import type { ReadMarkers } from '../../commands/read-marker/move-read-marker.ts';
import type { Authenticate } from '../../auth/session.ts';
import { SYNC_GROUPS_PER_POINT } from '../../protocol/costs.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import type { EventStore } from '../../events/event-store.ts';
import type { GroupId, MessageId } from '../../events/ids.ts';
import { ProblemError, problem } from '../../protocol/problem.ts';
import type { ChatSocket } from './connection.ts';
import { headSeq } from '../rooms/heads.ts';
import type { Hints } from '../presence/hints.ts';
import type { Membership } from '../rooms/membership.ts';
import type { Answer, ClientEvent, Payload } from './protocol.ts';
import { groupRoom } from '../rooms/rooms.ts';
import { syncFrom } from './sync.ts';

export interface ClientEventDeps {
  store: EventStore;
  handle: HandleCommand;
  lookups: Lookups;
  authenticate: Authenticate;
  rateLimits: RateLimits;
  membership: Membership;
  readMarkers: ReadMarkers;
  hints: Pick<Hints, 'read' | 'typing'>;
  newId: () => string;
}

/** The handler of each event. Its payload has been checked, and its socket may send it. */
export type ClientEventHandlers = {
  [N in ClientEvent]: (socket: ChatSocket, payload: Payload<N>) => Promise<Answer<N>>;
};

/** Creates the table of the protocol, with one handler for each event that a client may send. */
export function clientEventHandlers(deps: ClientEventDeps): ClientEventHandlers {
  const { store, membership } = deps;
  const sync = syncFrom(deps);

  const run = <I, S, E extends ConversationEvent>(
    command: Command<I, S, E>,
    input: I,
    { data: { session } }: ChatSocket,
  ): Promise<Outcome<E>> =>
    deps.handle(command, input, { actor: session.actor, correlationId: deps.newId() });

  const change =
    <I extends { groupId: GroupId; messageId: MessageId }, S>(command: Command<I, S, ConversationEvent>) =>
    async (socket: ChatSocket, input: I) =>
      messageChangedAnswer(deps.lookups, input, await run(command, input, socket));

  return {
    async sendMessage(socket, input) {
      return messageSentAnswer(await run(sendMessage, input, socket));
    },
    editMessage: change(editMessage),
    deleteMessage: change(deleteMessage),
    addReaction: change(addReaction),
    removeReaction: change(removeReaction),

    async markRead(socket, { groupId, seq }) {
      const { user, session } = socket.data;
      await membership.require(groupId, session.actor);
      const marker = await deps.readMarkers.move(groupId, user.id, seq);
      if (marker.moved) deps.hints.read({ groupId, userId: user.id, seq: marker.seq }, socket.id);
      return { unreadCount: marker.unreadCount };
    },

    async typing(socket, { groupId, isTyping }) {
      const { user, session } = socket.data;
      await membership.require(groupId, session.actor);
      if (socket.data.mayType()) deps.hints.typing({ groupId, userId: user.id, isTyping }, socket.id);
      return {};
    },

    async joinRoom(socket, { groupId }) {
      const { user, session, unheard, wire } = socket.data;
      let changesSeen: number;
      let head: number;
      do {
        changesSeen = user.membershipChanges;
        await membership.requireNow(groupId, session.actor);
        head = await headSeq(store, groupId);
      } while (changesSeen !== user.membershipChanges);
      unheard.delete(groupId);
      if (socket.connected && !wire.isCut) void socket.join(groupRoom(groupId));
      return { headSeq: head };
    },

    async leaveRoom(socket, { groupId }) {
      const { session, unheard } = socket.data;
      await membership.requireNow(groupId, session.actor);
      unheard.add(groupId);
      void socket.leave(groupRoom(groupId));
      return { headSeq: await headSeq(store, groupId) };
    },

    async sync(socket, asked) {
      const more = Math.floor((asked.groups.length - 1) / SYNC_GROUPS_PER_POINT);
      deps.rateLimits.spend('requests', socket.data.user.id, more);
      await socket.data.wire.drained();
      return sync(asked, socket.data.session.actor);
    },

    async refreshAuth(socket, { token }) {
      const { data: connection } = socket;
      const session = await deps.authenticate(token);
      if (session.actor.userId !== connection.user.id)
        throw new ProblemError(problem('FORBIDDEN', { detail: 'The token belongs to another user' }));
      connection.session = session;
      connection.isWarned = false;
      return { expiresIn: Math.max(0, Math.floor((session.expiresAt - Date.now()) / 1_000)) };
    },
  };
}
