import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected, AutomationRefused } from '../commands/rejection.ts';
import type { Position, Recorded } from '../events/event-store.ts';
import type { Automation } from './automation.ts';
import { automations as allAutomations } from './automations.ts';

/**
 * Does what follows from events, in order; answers with the highest position that covers it, 0 if nothing followed. Throws
 * `AutomationRefused` when a rule refuses it, once everything else has been done.
 */
export type RunAutomations = (events: readonly Recorded[]) => Promise<Position>;

export interface AutomationDeps {
  handle: HandleCommand;
  log: Logger;
  automations?: readonly Automation[];
}

/** Events that are remembered as done: what was done at once is made sure of a moment later. */
const REMEMBERED = 10_000;

/**
 * Runs automations at once, and not again to an event that it has done them to. An automation's events carry ids derived from the causing event's id, so that twice is once.
 * Rejects with `EventStoreUnavailable`, since the answer promises what follows: repeating the command is safe.
 */
export function automationRunner({
  handle,
  log,
  automations = allAutomations,
}: AutomationDeps): RunAutomations {
  /** The positions that cover what followed from events, by the ids of these. */
  const done = new LRUCache<string, Position>({ max: REMEMBERED });

  async function run({ name, follows, moot = [] }: Automation, event: Recorded): Promise<Position> {
    const consequence = follows(event);
    if (!consequence) return 0;
    const { command, input, actor } = consequence;
    const { correlationId } = event.metadata;
    try {
      const { position } = await handle(command, input, { actor, correlationId, causationId: event.id });
      return position;
    } catch (error) {
      if (!(error instanceof CommandRejected)) throw error;
      if (!moot.includes(error.code)) throw new AutomationRefused(name, event.id, error);
      log.info(
        { automation: name, eventId: event.id, code: error.code },
        'the automation had nothing left to do',
      );
      return 0;
    }
  }

  /** Resolves with the position that covers what followed, and with the first refusal. */
  async function runAll(event: Recorded): Promise<{ position: Position; error?: AutomationRefused }> {
    const following = automations.filter(({ on }) => on === event.type);
    const known = done.get(event.id);
    if (following.length === 0 || known !== undefined) return { position: known ?? 0 };
    let position: Position = 0;
    let refused: AutomationRefused | undefined;
    for (const automation of following)
      try {
        position = Math.max(position, await run(automation, event));
      } catch (error) {
        if (!(error instanceof AutomationRefused)) throw error;
        refused ??= error;
      }
    if (refused) return { position, error: refused };
    done.set(event.id, position);
    return { position };
  }

  return async (events) => {
    let covered: Position = 0;
    let refused: AutomationRefused | undefined;
    for (const event of events) {
      const { position, error } = await runAll(event);
      covered = Math.max(covered, position);
      refused ??= error;
    }
    if (refused) throw refused;
    return covered;
  };
}
