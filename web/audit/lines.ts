import { ChatProblem, type components } from 'slay-e-chat-client';

export type LogEvent = components['schemas']['AuditLine'];

/** A page of the log. */
export interface LogPage {
  events: readonly LogEvent[];
  /** The position to go on after; null at the end of the log. */
  next: string | null;
}

/** Yields the lines of an answer as they come. */
async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * Reads a page of the log as it comes, and tells how far it is. An answer that was cut off ends where it was, so that one
 * can go on from there; without any line it is `NO_ANSWER`.
 */
export async function readPage(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvents: (events: readonly LogEvent[]) => void,
): Promise<LogPage> {
  const events: LogEvent[] = [];
  try {
    for await (const line of linesOf(stream)) {
      const told = JSON.parse(line) as LogEvent | { next: string | null };
      if ('next' in told) return { events, next: told.next };
      events.push(told);
      onEvents([...events]);
    }
  } catch (error) {
    if (events.length === 0) throw error;
  }
  const last = events.at(-1);
  if (last) return { events, next: last.position };
  throw new ChatProblem({ code: 'NO_ANSWER', retryable: true, detail: 'The answer was cut off' });
}
