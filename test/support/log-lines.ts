import { pino } from 'pino';

/** A logger and the lines it has written so far. */
export function linesOf(level: string) {
  const written: string[] = [];
  const log = pino({ level }, { write: (line: string) => written.push(line) });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}
