import { type SubmitEvent, useId, useRef } from 'react';

/** A field to search with. It is emptied to see everything again. */
export function SearchForm({
  label,
  submit,
  value,
  onSearch,
}: {
  label: string;
  submit: string;
  value: string;
  onSearch: (asked: string) => void;
}) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  function send(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const { value: asked = '' } = field.current ?? {};
    onSearch(asked.trim());
  }
  return (
    <search>
      <form onSubmit={send} className="line">
        <label htmlFor={id}>{label}</label>
        <input ref={field} key={value} id={id} type="search" name="q" defaultValue={value} dir="auto" />
        <button type="submit">{submit}</button>
      </form>
    </search>
  );
}
