import { type ComponentProps, type ReactNode, type SubmitEvent, useId } from 'react';
import { ChatProblem } from 'slay-e-chat-client';
import { useAction } from '../client.tsx';
import { words } from '../words.ts';
import { Problem } from './page.tsx';

/** Of a new password. */
export const PASSWORD_LENGTH = { minLength: 8, maxLength: 128 };

interface FieldProps {
  label: string;
  name: string;
  hint?: string | undefined;
  /** Of the form: what is wrong with this field is said beside it. */
  problem?: unknown;
}

const wrongWith = (name: string, problem: unknown): string | undefined =>
  problem instanceof ChatProblem
    ? problem.errors.find(({ pointer }) => pointer === `/${name}`)?.message
    : undefined;

function Labelled({
  label,
  name,
  hint,
  problem,
  required,
  children,
}: FieldProps & {
  required: boolean | undefined;
  children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}) {
  const id = useId();
  const wrong = wrongWith(name, problem);
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {required ? '' : ` (${words.optional})`}
      </label>
      {hint && (
        <small id={`${id}-hint`} className="quiet">
          {hint}
        </small>
      )}
      {children({
        id,
        ...(described && { 'aria-describedby': described }),
        ...(wrong !== undefined && { 'aria-invalid': true }),
      })}
      {wrong !== undefined && (
        <small id={`${id}-wrong`} className="wrong">
          {wrong}
        </small>
      )}
    </div>
  );
}

/** A line of text with its label. */
export function Field({ label, name, hint, problem, ...rest }: FieldProps & ComponentProps<'input'>) {
  return (
    <Labelled {...{ label, name, hint, problem, required: rest.required }}>
      {(ids) => <input {...rest} {...ids} name={name} dir="auto" />}
    </Labelled>
  );
}

/** A text of several lines with its label. */
export function TextArea({ label, name, hint, problem, ...rest }: FieldProps & ComponentProps<'textarea'>) {
  return (
    <Labelled {...{ label, name, hint, problem, required: rest.required }}>
      {(ids) => <textarea rows={6} {...rest} {...ids} name={name} dir="auto" />}
    </Labelled>
  );
}

/** One of many, or none. */
export function Select({
  label,
  name,
  hint,
  options,
  ...rest
}: FieldProps &
  ComponentProps<'select'> & { options: readonly (readonly [value: string, label: string])[] }) {
  return (
    <Labelled {...{ label, name, hint, required: rest.required }}>
      {(ids) => (
        <select {...rest} {...ids} name={name}>
          {!rest.required && <option value="" />}
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** One of a few, all of which are seen. */
export function Choice({
  legend,
  name,
  options,
  chosen,
  hint,
}: {
  legend: string;
  name: string;
  options: readonly (readonly [value: string, label: string])[];
  chosen?: string;
  hint?: string;
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map(([value, label]) => (
        <label key={value} className="choice">
          <input type="radio" name={name} value={value} required defaultChecked={value === chosen} />
          {label}
        </label>
      ))}
      {hint && <small className="quiet">{hint}</small>}
    </fieldset>
  );
}

export type Fields = Partial<Record<string, string>>;

/** A form that says below what went wrong. `send` gets the fields that are not empty. */
export function Form({
  send,
  submit,
  children,
}: {
  send: (fields: Fields) => Promise<unknown>;
  submit: string;
  children: (problem: unknown) => ReactNode;
}) {
  const action = useAction(send);
  function take(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const all = [...new FormData(event.currentTarget)] as [string, string][];
    action.run(Object.fromEntries(all.filter(([, value]) => value.trim() !== '')));
  }
  return (
    <form onSubmit={take}>
      {children(action.problem)}
      <Problem of={action.problem} />
      <button type="submit" className="main" aria-disabled={action.isRunning}>
        {submit}
      </button>
    </form>
  );
}
