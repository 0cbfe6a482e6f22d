import { ChatProblem } from 'slay-e-chat-client';
import { useAction, useChat, useLoad } from '../client.tsx';
import { pushState, turnPushOff, turnPushOn } from '../push.ts';
import { words } from '../words.ts';
import { Loading, Problem } from './page.tsx';

/** Push messages on this browser: what stands against them, or the button that turns them on or off. */
export function PushSwitch() {
  const chat = useChat();
  const { data, problem, reload } = useLoad(() => pushState(chat), []);
  const change = useAction(async () => {
    await (data === 'on' ? turnPushOff(chat) : turnPushOn(chat)).finally(reload);
  });
  const { refused, states, title, turnOff, turnOn } = words.push;
  return (
    <>
      <h3>{title}</h3>
      {data === undefined && problem === undefined && <Loading />}
      <Problem of={problem} retry={reload} />
      {data && <p role="status">{states[data]}</p>}
      {(data === 'on' || data === 'off') && (
        <button type="button" aria-disabled={change.isRunning} onClick={() => change.run()}>
          {data === 'on' ? turnOff : turnOn}
        </button>
      )}
      {change.problem instanceof ChatProblem ? (
        <Problem of={change.problem} />
      ) : (
        <p role="alert">{change.problem !== undefined && refused}</p>
      )}
    </>
  );
}
