import type { ActorOrSystem, Command } from '../../../src/commands/command.ts';
import type { HandleCommand } from '../../../src/commands/handle-command.ts';
import { CommandRejected } from '../../../src/commands/rejection.ts';

/** Throws when a command has refused an actor with a code that it does not declare in `refuses`. */
export function requireDeclared(
  { name, refuses }: Pick<Command, 'name' | 'refuses'>,
  actor: ActorOrSystem,
  error: unknown,
): void {
  if (!(error instanceof CommandRejected) || error.code === 'STREAM_DAMAGED') return;
  const isDeclared = refuses.includes(error.code);
  if (!isDeclared && (actor !== 'system' || error.code !== 'ROLE_NOT_ALLOWED'))
    throw new Error(`${name} refuses with ${error.code}, which it does not declare`, { cause: error });
}

/** Wraps a handler so that it fails when a command refuses with a code that it does not declare. */
export const withDeclaredRefusals =
  (handle: HandleCommand): HandleCommand =>
  async (command, input, request) => {
    try {
      return await handle(command, input, request);
    } catch (error) {
      requireDeclared(command, request.actor, error);
      throw error;
    }
  };
