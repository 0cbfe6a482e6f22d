import type { EventStore, Position } from '../events/event-store.ts';
import { erasedText, personalText } from '../events/personal-text.ts';

const PAGE = 2_000;

const fieldsOf: Record<string, { fields: readonly string[] } | undefined> = personalText;

/** Returns true for an event whose personal text is stored as it is. */
const isPlain = (type: string, json: string): boolean => {
  const fields = fieldsOf[type]?.fields;
  if (!fields) return false;
  const data = JSON.parse(json) as Record<string, unknown>;
  return fields.some((field) => typeof data[field] === 'string' && data[field] !== erasedText[field]);
};

/** Reads a whole log as it is stored. Resolves with the position of the first event with readable personal text, if any. */
export async function findUnsealed(
  store: Pick<EventStore, 'readStored' | 'head'>,
  onStep: (position: Position, head: Position) => void = () => {},
): Promise<Position | undefined> {
  const head = await store.head();
  for (let after = 0; ;) {
    const page = await store.readStored({ after, limit: PAGE });
    const found = page.find(({ type, data }) => isPlain(type, data));
    if (found) return found.position;
    if (page.length < PAGE) return undefined;
    after = page.at(-1)!.position;
    onStep(after, head);
  }
}
