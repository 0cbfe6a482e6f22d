import type { Logger } from 'pino';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { Position, Recorded } from '../events/event-store.ts';
import type { Reaction } from './reaction.ts';
import { reactions as allReactions } from './reactions.ts';

/** Does what follows from events, in order; answers with the highest position that covers it, 0 if nothing followed. */
export type React = (events: readonly Recorded[]) => Promise<Position>;

export interface ReactDeps {
  handle: HandleCommand;
  log: Logger;
  reactions?: readonly Reaction[];
}

/**
 * Runs reactions at once. What a reaction appends carries ids made from the causing event's id, so that twice is once.
 * Rejects with `EventStoreUnavailable`, since the answer promises what follows: repeating the command is safe.
 */
export function reactNow({ handle, log, reactions = allReactions }: ReactDeps): React {
  async function run({ name, follows }: Reaction, event: Recorded): Promise<Position> {
    const consequence = follows(event);
    if (!consequence) return 0;
    const { command, input, actor } = consequence;
    const { correlationId } = event.metadata;
    try {
      const { position } = await handle(command, input, { actor, correlationId, causationId: event.id });
      return position;
    } catch (error) {
      if (!(error instanceof CommandRejected)) throw error;
      log.info({ reaction: name, eventId: event.id, code: error.code }, 'nothing left to do');
      return 0;
    }
  }

  return async (events) => {
    let covered: Position = 0;
    for (const event of events)
      for (const reaction of reactions)
        if (reaction.on === event.type) covered = Math.max(covered, await run(reaction, event));
    return covered;
  };
}
