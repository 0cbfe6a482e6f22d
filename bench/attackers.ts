import { constants, setPriority } from 'node:os';
import { type Arena, type AttackName, attacks } from './attacks.ts';
import { type Tally, comeFrom, takeTally } from './hostile-client.ts';

/**
 * The hostile clients of the bench `hostile`, in a process of their own. They use other addresses than the
 * bystanders, and the lowest priority: the bench measures the load on the server, not their own CPU time.
 */
export type Order = { do: 'attack'; name: AttackName; arena: Arena } | { do: 'stop' };

let ending: AbortController | undefined;
let running: Promise<void> = Promise.resolve();

async function obey(order: Order): Promise<Tally> {
  if (order.do === 'attack') {
    takeTally();
    comeFrom(order.arena.address);
    ending = new AbortController();
    running = attacks[order.name](order.arena, ending.signal);
    // A failure is reported with the next order.
    running.catch(() => undefined);
    return {};
  }
  ending?.abort();
  await running;
  return takeTally();
}

setPriority(constants.priority.PRIORITY_LOW);
process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
