import { useId } from 'react';
import { words } from '../words.ts';

/** Returns those of the named parts of a query that are not empty. */
export const queryOf = (query: URLSearchParams, names: readonly string[]): Record<string, string> =>
  Object.fromEntries([...query].filter(([name, value]) => names.includes(name) && value !== ''));

/** Chooses one of a few, or all. */
export function Filter({
  label,
  options,
  value = '',
  onChoose,
}: {
  label: string;
  options: Record<string, string>;
  value: string | undefined;
  onChoose: (value: string) => void;
}) {
  const id = useId();
  return (
    <span>
      <label htmlFor={id}>{label}</label>{' '}
      <select id={id} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{words.admin.all}</option>
        {Object.entries(options).map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </span>
  );
}
