import { expect } from '@jest/globals';
import type { ActorOrSystem, Command, MessageFacts } from '../../../src/commands/command.ts';
import { CommandRejected, type RejectionCode } from '../../../src/commands/rejection.ts';
import { type DomainEvent, eventSchemas } from '../../../src/events/domain-event.ts';
import { commands } from './command-stage.ts';
import { requireDeclared } from './declared-refusals.ts';
import { uuid } from './example-events.ts';
import { streamOf } from './history.ts';

interface Known {
  message?: MessageFacts;
}

/** When every decision of the specs is made. */
export const NOW = new Date('2026-01-02T03:04:05.678Z');

/** The id that the n-th call of `newId` gives in a decision: 1, 2, 3 … */
export const newIdNumber = (n: number) => uuid(0xd000 + n);

/** The rule says no, or the events. */
function decided<I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  history: readonly DomainEvent[],
  actor: ActorOrSystem,
  { message }: Known,
): E[] {
  const states = Object.entries(command.reads(input, actor)).map(([name, ref]) => {
    const { stream, aggregate } = ref as ReturnType<Command<I, Record<string, unknown>, E>['reads']>[string];
    const events = history.filter((each) => streamOf(each) === stream);
    const state = events.reduce((so, each) => aggregate.evolve(so, each as never), aggregate.initial);
    return [name, state] as const;
  });
  let ids = 0;
  const context = { actor, newId: () => newIdNumber((ids += 1)), now: NOW };
  try {
    return command.decide(input, { ...(Object.fromEntries(states) as S), message }, context);
  } catch (error) {
    requireDeclared(command, actor, error);
    throw error;
  }
}

/**
 * The language of the specs: `given(history).as(actor).when(command, input)`, then one of the outcomes.
 * Decisions are made by the command itself, on states folded from the history; nothing else runs.
 */
export function given(...history: DomainEvent[]) {
  const scene = (actor: ActorOrSystem, known: Known) => ({
    /** What a lookup would tell. */
    knowing: (facts: Known) => scene(actor, facts),
    when: <I, S, E extends DomainEvent>(command: Command<I, S, E>, raw: NoInfer<Loose<I>>) => {
      const input = command.input.parse(raw);
      const decide = () => decided(command, input, history, actor, known);
      return {
        /** Exactly these events, in this order, each in the shape the log takes. */
        then: (expected: DomainEvent[]) => {
          const events = decide();
          expect(events).toStrictEqual(expected);
          for (const { type, data } of events) expect(data).toStrictEqual(eventSchemas[type].parse(data));
        },
        thenNothing: () => expect(decide()).toStrictEqual([]),
        thenRejects: (code: RejectionCode) => {
          let outcome: unknown;
          try {
            outcome = decide();
          } catch (error) {
            if (!(error instanceof CommandRejected)) throw error;
            outcome = error.code;
          }
          expect(outcome).toStrictEqual(code);
        },
        /** Twice with one key, through the real handler: the log has it once, and both answers tell of it. */
        thenIdempotent: async () => {
          const stage = await commands({ history, message: known.message });
          const request = { actor, correlationId: uuid(0xc0), key: 'the same key' };
          const before = await stage.log();
          const first = await stage.handle(command, input, request);
          const second = await stage.handle(command, input, request);
          expect(first.events).not.toHaveLength(0);
          expect((await stage.log()).slice(before.length)).toStrictEqual(first.events);
          expect(second).toStrictEqual({ ...first, duplicate: second.duplicate });
        },
      };
    },
  });
  return { as: (actor: ActorOrSystem) => scene(actor, {}) };
}

/** Ids as plain strings, as a client sends them: the command's own schema brands them. */
export type Loose<T> = T extends string
  ? string
  : T extends readonly (infer U)[]
    ? Loose<U>[]
    : T extends object
      ? { [K in keyof T]: Loose<T[K]> }
      : T;
