/** How a value differs from the one before. */
export type Mark = 'same' | 'new' | 'gone' | 'changed' | 'inside';

export type Plain = string | number | boolean | null;

/** A value with what changed in it. */
export interface Difference {
  name: string;
  mark: Mark;
  /** Of a value without parts. */
  value?: Plain;
  /** What a changed value was. */
  was?: unknown;
  /** Of a list or an object. */
  parts?: readonly Difference[];
  /** Whether the names of the parts say nothing but which entry of a list they are. */
  isList?: boolean;
}

type Parts = Record<string, unknown>;

const isParts = (value: unknown): value is Parts | unknown[] => typeof value === 'object' && value !== null;

/** What an entry of a list is known by, so that one that moves is still the same. */
const IDENTITIES = ['id', 'userId', 'messageId', 'fileId', 'noteId'];

type NameOf = (entry: unknown, at: number) => unknown;

/** Returns how entries are named so that the names stay with them; by their places if they have no such names. */
function namingOf(lists: readonly (readonly unknown[])[]): NameOf {
  const fits = (nameOf: NameOf): boolean =>
    lists.every((list) => {
      const names = list.map(nameOf);
      return names.every((name) => typeof name === 'string') && new Set(names).size === names.length;
    });
  const ways: NameOf[] = [
    ...IDENTITIES.map(
      (identity) => (entry: unknown) => (isParts(entry) ? (entry as Parts)[identity] : undefined),
    ),
    (entry) => entry,
  ];
  return ways.find(fits) ?? ((_, at) => String(at + 1));
}

/** Returns the parts of values, by names that are good for all of them. */
function partsOf(...values: readonly (Parts | unknown[])[]): Map<string, unknown>[] {
  const nameOf = namingOf(values.filter((value) => Array.isArray(value)));
  return values.map(
    (value) =>
      new Map(
        Array.isArray(value)
          ? value.map((entry: unknown, at) => [nameOf(entry, at) as string, entry] as const)
          : Object.entries(value),
      ),
  );
}

/** Returns a value as it is, without a look at what was before. */
export function shown(name: string, value: unknown, mark: Mark = 'same'): Difference {
  if (!isParts(value)) return { name, mark, value: value as Plain };
  // What is new, or gone, is so with all its parts.
  const [found] = partsOf(value);
  const parts = [...found!].map(([key, part]) => shown(key, part));
  return { name, mark, parts, isList: Array.isArray(value) };
}

/** Returns a value with what changed since another one. */
export function compared(name: string, before: unknown, now: unknown): Difference {
  if (before === undefined) return shown(name, now, 'new');
  if (now === undefined) return shown(name, before, 'gone');
  if (isParts(before) && isParts(now) && Array.isArray(before) === Array.isArray(now)) {
    const [old, current] = partsOf(before, now);
    const gone = [...old!].filter(([key]) => !current!.has(key));
    const parts = [
      ...[...current!].map(([key, part]) => compared(key, old!.get(key), part)),
      ...gone.map(([key, part]) => shown(key, part, 'gone')),
    ];
    const mark = parts.some((part) => part.mark !== 'same') ? 'inside' : 'same';
    return { name, mark, parts, isList: Array.isArray(now) };
  }
  const isSame = !isParts(before) && !isParts(now) && before === now;
  return isSame ? shown(name, now) : { ...shown(name, now, 'changed'), was: before };
}
