import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected, AutomationRefused } from '../commands/rejection.ts';
import type { Position, Recorded } from '../events/event-store.ts';
import { traceOf } from '../kit/trace-context.ts';
import type { Automation } from './automation.ts';
import { automations as allAutomations } from './automations.ts';

/**
 * Runs what follows from events, in order. Resolves with the highest position that covers it; 0 if nothing
 * followed. Throws `AutomationRefused` when a rule refuses a command, after everything else is done.
 */
export type RunAutomations = (events: readonly Recorded[]) => Promise<Position>;

export interface AutomationDeps {
  handle: HandleCommand;
  log: Logger;
  automations?: readonly Automation[];
}

/** Number of events remembered as done. The follower checks on each event a moment after it was handled at once. */
const REMEMBERED = 10_000;

/**
 * Creates a runner that skips events it has already handled. The ids of appended events derive from the id of
 * the causing event, so running an automation twice appends once. Rejects with `EventStoreUnavailable`, since
 * the answer to a command promises what follows; repeating the command is safe.
 */
export function automationRunner({
  handle,
  log,
  automations = allAutomations,
}: AutomationDeps): RunAutomations {
  /** The positions that cover what followed from events, by event id. */
  const done = new LRUCache<string, Position>({ max: REMEMBERED });

  async function run({ name, follows, moot = [] }: Automation, event: Recorded): Promise<Position> {
    const consequence = follows(event);
    if (!consequence) return 0;
    const { command, input, actor } = consequence;
    const { correlationId } = event.metadata;
    try {
      const trace = traceOf(event.metadata);
      const { position } = await handle(command, input, {
        ...{ actor, correlationId, trace },
        causationId: event.id,
      });
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

  /** Resolves with the position that covers what followed, and with the first refusal if there was one. */
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
