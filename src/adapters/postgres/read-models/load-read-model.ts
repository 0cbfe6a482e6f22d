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

export interface LoadReadModel {
  store: EventStore;
  projection: Projection;
  /** Writes to the schema `checkpoint`, which is also the name of the checkpoint. */
  writer: ProjectingConnection;
  checkpoint: string;
  after: Position;
  /** Default: the head of the log when the last page is read. */
  until?: Position;
  onStep?: (loaded: Loaded, head: Position) => void;
}

/**
 * Fills a read model from the log. While PostgreSQL writes a page, the next one is read and turned into
 * statements.
 */
export async function loadReadModel(load: LoadReadModel): Promise<Loaded> {
  const { store, projection, writer, checkpoint, until = Infinity, onStep } = load;
  const read = async (after: Position): Promise<{ head: Position; page: Recorded[]; isLast: boolean }> => {
    const head = Math.max(after, Math.min(await store.head(), until));
    const found = await store.readAll({ after, limit: PAGE, types: projection.handles });
    const page = until === Infinity ? found : found.filter(({ position }) => position <= until);
    return { head, page, isLast: page.length < PAGE };
  };
  let position = load.after;
  let events = 0;
  let written = Promise.resolve();
  for (let reading = read(position); ;) {
    const { head, page, isLast } = await reading;
    const last = page.at(-1)?.position ?? position;
    const to = isLast ? Math.max(head, last) : last;
    if (!isLast) {
      reading = read(to);
      reading.catch(() => {});
    }
    const handled = handledBy(projection, page);
    if (handled.beyond) throw handled.beyond;
    const statements = projection.project(handled.events as never);
    await written;
    const from = position;
    written = from === to ? Promise.resolve() : writer.apply({ name: checkpoint, from, to, statements });
    written.catch(() => {});
    position = to;
    events += page.length;
    onStep?.({ position, events }, head);
    if (isLast) break;
  }
  await written;
  return { position, events };
}
