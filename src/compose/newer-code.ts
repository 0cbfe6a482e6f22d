import type { Logger } from 'pino';
import type { Checks } from '../http/readiness.ts';
import type { OnUnknown } from '../adapters/postgres/event-log/reader.ts';

/** Records events in the log that newer code wrote, and reports them until this process is upgraded. */
export function watchForNewerCode(log: Logger): { onUnknown: OnUnknown; checks: Checks } {
  /** The position at which each type and version was first met. */
  const met = new Map<string, number>();
  return {
    onUnknown({ type, v, position }) {
      const name = `${type} v${v}`;
      if (met.has(name)) return;
      met.set(name, position);
      log.warn(
        { type, v, position },
        'the log holds an event of a newer version; what depends on it waits until this process is upgraded',
      );
    },
    checks: {
      version: () =>
        met.size === 0
          ? undefined
          : `upgrade this process; newer code wrote ${[...met].map(([name, position]) => `${name} at position ${position}`).join(', ')}`,
    },
  };
}
