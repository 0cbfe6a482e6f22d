import type { EventStore, Position, Recorded } from '../../../events/event-store.ts';
import type { Projection } from '../../../projections/projection.ts';
import { type ProjectingConnection, handledBy } from './projections.ts';

/** Number of events in a page. Loads with pages of 1,000 and of 10,000 took a fifth longer. */
const PAGE = 2_500;

/** The position up to which a read model was filled, and the number of events that it handled. */
export interface Loaded {
  position: Position;
  events: number;
}

/** A read model that is filled from the log. */
export interface Filling {
  projection: Projection;
  /** Writes to the schema `checkpoint`, which is also the name of the checkpoint. */
  writer: ProjectingConnection;
  checkpoint: string;
}

interface Reading {
  store: EventStore;
  after: Position;
  /** Default: the head of the log when the last page is read. */
  until?: Position;
}

export interface LoadReadModel extends Filling, Reading {}

/** Fills a read model from the log. Throws the first error. */
export async function loadReadModel({ store, after, until, ...filling }: LoadReadModel): Promise<Loaded> {
  const [outcome] = await loadReadModels({ store, after, ...(until !== undefined && { until }) }, [filling]);
  if (outcome?.status !== 'fulfilled') throw outcome?.reason;
  return outcome.value;
}

/**
 * Fills several read models that stand at the same position, with one reading of the log. While PostgreSQL writes a
 * page, the next one is read and turned into statements. A read model that fails leaves the others alone. Rejects
 * when the log cannot be read.
 */
export async function loadReadModels(
  { store, after, until = Infinity }: Reading,
  fillings: readonly Filling[],
  onStep: (position: Position, head: Position) => void = () => {},
): Promise<PromiseSettledResult<Loaded>[]> {
  // Several read models handle nearly every type.
  const types = fillings.length === 1 ? fillings[0]!.projection.handles : undefined;
  const read = async (from: Position) => {
    const head = Math.max(from, Math.min(await store.head(), until));
    const found = await store.readAll({ after: from, limit: PAGE, ...(types && { types }) });
    const page = until === Infinity ? found : found.filter(({ position }) => position <= until);
    return { head, page, isLast: page.length < PAGE };
  };
  const writers = fillings.map((filling) => pageWriter(filling, after));
  let position = after;
  for (let reading = read(position); ;) {
    const { head, page, isLast } = await reading;
    const last = page.at(-1)?.position ?? position;
    position = isLast ? Math.max(head, last) : last;
    if (!isLast) {
      reading = read(position);
      reading.catch(() => {});
    }
    await Promise.all(writers.map((writer) => writer.take(page, position)));
    onStep(position, head);
    if (isLast || writers.every((writer) => writer.hasFailed())) break;
  }
  return Promise.allSettled(writers.map((writer) => writer.end()));
}

/** Writes pages into one read model, one page behind the reading. */
function pageWriter({ projection, writer, checkpoint }: Filling, after: Position) {
  let written = Promise.resolve();
  let saved = after;
  let reached = after;
  let events = 0;
  let failure: { error: unknown } | undefined;

  async function write(handled: Recorded[]): Promise<void> {
    const statements = projection.project(handled as never);
    await written;
    const advance = { name: checkpoint, from: saved, to: reached, statements };
    saved = reached;
    written = writer.apply(advance);
    written.catch(() => {});
  }

  return {
    /** Resolves once the page before has been written. Never rejects: the error comes from `end`. */
    async take(page: Recorded[], to: Position): Promise<void> {
      if (failure) return;
      try {
        const handled = handledBy(projection, page);
        if (handled.beyond) throw handled.beyond;
        reached = to;
        events += handled.events.length;
        if (handled.events.length > 0) await write(handled.events);
      } catch (error) {
        failure = { error };
      }
    },
    hasFailed: () => failure !== undefined,
    /** Resolves once everything has been written, and the checkpoint too. Rejects with the first error. */
    async end(): Promise<Loaded> {
      if (failure) throw failure.error;
      if (reached > saved) await write([]);
      await written;
      return { position: reached, events };
    },
  };
}
