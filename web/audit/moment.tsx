import { useEffect, useId, useRef, useState } from 'react';
import { type Fields, Field, Form } from '../parts/form.tsx';
import { words } from '../words.ts';

/** Time without a movement of the slider after which the moment is looked at. */
const REST_MS = 250;

/** Returns a time as a field for local times takes it. */
export function toLocal(at: string): string {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return '';
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
}

/** Returns the time that a field for local times has; undefined for none. */
export function fromLocal(local: string | undefined): string | undefined {
  const when = new Date(local ?? '');
  return Number.isNaN(when.getTime()) ? undefined : when.toISOString();
}

/** A slider over numbered steps. What it passes is not looked at. */
export function Slider({
  label,
  min,
  max,
  value,
  say,
  onRest,
}: {
  label: string;
  min: number;
  max: number;
  value: number;
  /** Returns what a step is called. */
  say: (step: number) => string;
  onRest: (step: number) => void;
}) {
  const id = useId();
  const [moving, setMoving] = useState<number>();
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  const step = moving ?? value;
  useEffect(() => () => clearTimeout(rest.current), []);
  // The page has followed, or somebody went to another moment.
  useEffect(() => setMoving(undefined), [value]);

  function move(to: number): void {
    if (to < min || to > max) return;
    setMoving(to);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => {
      if (to === value) setMoving(undefined);
      onRest(to);
    }, REST_MS);
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="line">
        <input
          {...{ id, type: 'range', min, max, step: 1, value: step }}
          aria-valuetext={say(step)}
          onChange={({ currentTarget }) => move(currentTarget.valueAsNumber)}
        />
        <button
          type="button"
          aria-label={words.audit.moment.back}
          aria-disabled={step <= min}
          onClick={() => move(step - 1)}
        >
          −
        </button>
        <button
          type="button"
          aria-label={words.audit.moment.on}
          aria-disabled={step >= max}
          onClick={() => move(step + 1)}
        >
          +
        </button>
      </div>
      <output htmlFor={id}>{say(step)}</output>
    </div>
  );
}

/** Goes to a date and a time, in the zone of the browser. */
export function TimeForm({ at, onAsk }: { at: string | undefined; onAsk: (at: string) => void }) {
  async function ask({ at: local }: Fields): Promise<void> {
    const asked = fromLocal(local);
    if (asked !== undefined) onAsk(asked);
  }
  return (
    <Form key={at} send={ask} submit={words.audit.moment.look}>
      {() => <TimeField label={words.audit.moment.at} name="at" at={at} required />}
    </Form>
  );
}

/** A field for a date and a time, to the millisecond. */
export const TimeField = ({
  at,
  ...rest
}: {
  label: string;
  name: string;
  at: string | undefined;
  required?: boolean;
}) => (
  <Field {...rest} type="datetime-local" step="0.001" defaultValue={at === undefined ? '' : toLocal(at)} />
);
