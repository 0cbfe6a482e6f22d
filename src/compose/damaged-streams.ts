import type { OnDamage } from '../adapters/eventstoredb/reader.ts';
import type { Checks } from '../http/readiness.ts';

/** Number of damaged streams that readiness names. */
const NAMED = 5;

/**
 * Records the damaged streams that this process has come across, for readiness. `counted` is called with their
 * number.
 */
export function watchForDamage(counted: (streams: number) => void): { onDamage: OnDamage; checks: Checks } {
  const reasons = new Map<string, string>();
  return {
    onDamage({ stream, reason }) {
      reasons.set(stream, reason);
      counted(reasons.size);
    },
    checks: {
      streams() {
        if (reasons.size === 0) return undefined;
        const named = [...reasons].slice(0, NAMED).map(([stream, reason]) => `${stream} ${reason}`);
        const others = reasons.size - named.length;
        return `damaged: ${named.join('; ')}${others > 0 ? `; and ${others} more` : ''}`;
      },
    },
  };
}
