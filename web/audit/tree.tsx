import { Fragment, useState } from 'react';
import { Time } from '../parts/time.tsx';
import { words } from '../words.ts';
import { type Difference, type Plain, shown } from './differences.ts';

/** Parts that are drawn without being asked for. */
const MOST_PARTS = 100;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** A value as a tree of names and values, with what changed marked in words. */
export function Tree({ difference }: { difference: Difference }) {
  const { parts, isList = false } = difference;
  if (!parts) return <Leaf of={difference} />;
  return <Parts parts={parts} isList={isList} depth={0} />;
}

/** Any value as it is. */
export const Value = ({ value }: { value: unknown }) => <Tree difference={shown('', value)} />;

function Parts({ parts, isList, depth }: { parts: readonly Difference[]; isList: boolean; depth: number }) {
  const [isWhole, setWhole] = useState(false);
  const { all, empty } = words.audit.tree;
  if (parts.length === 0) return <p className="quiet">{empty}</p>;
  // What changed is never left out.
  const drawn = isWhole ? parts : parts.filter(({ mark }, at) => at < MOST_PARTS || mark !== 'same');
  return (
    <>
      <ul className="tree">
        {drawn.map((part, at) => (
          <li key={part.name} className={part.mark}>
            {part.parts ? (
              <Branch of={part} depth={depth} label={isList ? words.audit.tree.entry(at + 1) : part.name} />
            ) : (
              <p>
                {!isList && <span className="key">{part.name}</span>} <Leaf of={part} />
              </p>
            )}
          </li>
        ))}
      </ul>
      {drawn.length < parts.length && (
        <button type="button" onClick={() => setWhole(true)}>
          {all(parts.length)}
        </button>
      )}
    </>
  );
}

/** Something that has parts. It is open where something changed, until somebody says otherwise. */
function Branch({
  of: { mark, parts = [], isList = false },
  label,
  depth,
}: {
  of: Difference;
  label: string;
  depth: number;
}) {
  const [asked, setAsked] = useState<boolean>();
  const isOpen = asked ?? (mark !== 'same' || (depth === 0 && parts.length <= MOST_PARTS));
  const id = parts.find(({ name }) => name === 'id' || name === 'userId')?.value;
  return (
    <details open={isOpen}>
      <summary
        onClick={(event) => {
          event.preventDefault();
          setAsked(!isOpen);
        }}
      >
        <span className="key">{label}</span>{' '}
        <span className="quiet">{id ?? words.audit.tree.parts(parts.length)}</span> <MarkTag mark={mark} />
      </summary>
      {isOpen && <Parts parts={parts} isList={isList} depth={depth + 1} />}
    </details>
  );
}

function Leaf({ of: { value = null, mark, was } }: { of: Difference }) {
  return (
    <Fragment>
      <PlainValue value={value} /> <MarkTag mark={mark} />
      {mark === 'changed' && (
        <span className="quiet">
          {' '}
          {words.audit.tree.was}{' '}
          {typeof was === 'object' && was !== null ? (
            words.audit.tree.other
          ) : (
            <PlainValue value={was as Plain} />
          )}
        </span>
      )}
    </Fragment>
  );
}

function PlainValue({ value }: { value: Plain }) {
  const { no, nothing, redacted, yes } = words.audit.tree;
  if (value === null) return <span className="quiet">{nothing}</span>;
  if (typeof value === 'boolean') return value ? yes : no;
  if (typeof value === 'number') return <span className="value">{value}</span>;
  if (value === '[redacted]') return <span className="quiet">{redacted}</span>;
  if (INSTANT.test(value)) return <Time at={value} as="exact" />;
  return (
    <span className="value prose" dir="auto">
      {value}
    </span>
  );
}

const MarkTag = ({ mark }: Pick<Difference, 'mark'>) =>
  mark === 'same' ? null : <span className="tag mark">{words.audit.tree.marks[mark]}</span>;
