import { expect } from '@jest/globals';
import type { ActorOrSystem, AggregateRef, Command, MessageFacts } from '../../../src/commands/command.ts';
import { CommandRejected, type RejectionCode } from '../../../src/commands/rejection.ts';
import { type DomainEvent, eventSchemas } from '../../../src/events/domain-event.ts';
import { commands } from './command-stage.ts';
import { requireDeclared } from './declared-refusals.ts';
import { uuid } from './example-events.ts';
import { streamOf } from './history.ts';

interface Known {
  message?: MessageFacts;
}

/** The time of every decision in the specs. */
export const NOW = new Date('2026-01-02T03:04:05.678Z');

/** The id that the n-th call of `newId` returns in a decision: 1, 2, 3 … */
export const newIdNumber = (n: number) => uuid(0xd000 + n);

/** The outcome of a decision: a rejection or events. */
function decided<I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  history: readonly DomainEvent[],
  actor: ActorOrSystem,
  { message }: Known,
): E[] {
  const statesOf = (refs: object) =>
    Object.fromEntries(
      Object.entries(refs as Record<string, AggregateRef<unknown>>).map(([name, { stream, aggregate }]) => {
        const events = history.filter((each) => streamOf(each) === stream);
        return [name, events.reduce((so, each) => aggregate.evolve(so, each as never), aggregate.initial)];
      }),
    );
  const first = statesOf(command.reads(input, actor));
  const states = { ...first, ...statesOf(command.readsThen?.(first as S, input, actor) ?? {}) };
  let ids = 0;
  const context = { actor, newId: () => newIdNumber((ids += 1)), now: NOW };
  try {
    return command.decide(input, { ...(states as S), message }, context);
  } catch (error) {
    requireDeclared(command, actor, error);
    throw error;
  }
}

/**
 * The language of the specs: `given(history).as(actor).when(command, input)`, then one of the outcomes.
 * The command itself decides, on states folded from the history; nothing else runs.
 */
export function given(...history: DomainEvent[]) {
  const scene = (actor: ActorOrSystem, known: Known) => ({
    /** Sets the results of lookups. */
    knowing: (facts: Known) => scene(actor, facts),
    when: <I, S, E extends DomainEvent>(command: Command<I, S, E>, raw: NoInfer<Loose<I>>) => {
      const input = command.input.parse(raw);
      const decide = () => decided(command, input, history, actor, known);
      return {
        /** Expects exactly these events, in this order, each valid for the log. */
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
        /**
         * Runs the command twice with one key through the real handler, and expects one outcome in the log
         * and in both answers.
         */
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
