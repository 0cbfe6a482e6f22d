import type { Position, Revision } from '../../../events/event-store.ts';
import type { Answer, WaitingAppend } from '../../event-log/batch.ts';

/** About 3 MB. Beyond it all are forgotten: those in use are soon known again. */
const MAX_STREAMS = 20_000;

/**
 * The end of the log, and the revisions that streams had there, as the answers of append_events() tell them. They hold
 * while no other process appends: the next answer shows whether one did.
 */
export class KnownRevisions {
  #head: Position | undefined;
  readonly #revisions = new Map<string, Revision>();
  /** True if no other process appended between the last two batches. */
  #isAlone = false;

  /** The end of the log after the last batch; undefined while it is not known. */
  get head(): Position | undefined {
    return this.#head;
  }

  /** Returns the revision of a stream at `head`; -1 for one without events, undefined for one that is not known. */
  of(stream: string): Revision | undefined {
    return this.#revisions.get(stream);
  }

  /**
   * Returns the answers to a batch, valid as long as the log ends at `head`. Returns undefined if a revision is unknown,
   * an append does not match its stream or guards, or the last batch found that another process had appended.
   */
  placesOf(appends: readonly WaitingAppend[]): Answer[] | undefined {
    if (this.#head === undefined || !this.#isAlone || appends.length === 0) return undefined;
    let position = this.#head + 1;
    const ends = new Map<string, Revision>();
    const places: Answer[] = [];
    for (const { append, events } of appends) {
      const { stream, expected, guards = [] } = append;
      const actual = this.#revisions.get(stream);
      if (actual === undefined || (expected !== 'any' && expected !== actual)) return undefined;
      if (guards.some((guard) => this.#revisions.get(guard.stream) !== guard.revision)) return undefined;
      const end = ends.get(stream) ?? actual;
      places.push(['appended', position, end + 1, null]);
      ends.set(stream, end + events.length);
      position += events.length;
    }
    return places;
  }

  /** Learns from the answer to a batch: a row for each append, then one for each guard that was looked up. */
  learn(appends: readonly WaitingAppend[], answers: readonly Answer[]): void {
    const [first] = answers;
    if (!first) return;
    let head = first[1]! - 1;
    this.#isAlone = head === this.#head;
    if (!this.#isAlone || this.#revisions.size > MAX_STREAMS) this.#revisions.clear();
    for (let n = appends.length; n < answers.length; n += 1) {
      const [, , revision, stream] = answers[n]!;
      this.#revisions.set(stream!, revision!);
    }
    appends.forEach(({ append: { stream, events } }, n) => {
      const [outcome, , revision] = answers[n]!;
      if (outcome !== 'appended') return;
      head += events.length;
      this.#revisions.set(stream, revision! + events.length - 1);
    });
    this.#head = head;
  }

  /** Forgets everything: the outcome of a batch is unknown, or not as expected. */
  forget(): void {
    this.#head = undefined;
    this.#isAlone = false;
    this.#revisions.clear();
  }
}
