import type { Message, Upload } from 'slay-e-chat-client';
import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { useAction, useChat, useStore, useUser } from '../client.tsx';
import { words } from '../words.ts';
import { UploadItem } from './file.tsx';
import { useLimits } from './limits.ts';
import { Problem } from './page.tsx';

/** What the message that is being written has to do with another one. */
export interface Draft {
  replyTo?: Message;
  editing?: Message;
}

interface Attached {
  key: number;
  name: string;
  upload: Upload;
}

/** What each user has written to a group and not sent, while the page is open. */
const unsent = new Map<string, string>();
let nextKey = 0;

const isTouched = () => globalThis.matchMedia('(pointer: coarse)').matches;

/** Where messages are written. */
export function Composer({
  groupId,
  draft,
  onDraft,
}: {
  groupId: string;
  draft: Draft;
  onDraft: (draft: Draft) => void;
}) {
  const chat = useChat();
  const limits = useLimits();
  const own = `${useUser().id} ${groupId}`;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(() => unsent.get(own) ?? '');
  const [files, setFiles] = useState<readonly Attached[]>([]);
  const { replyTo, editing } = draft;

  useEffect(() => {
    if (!replyTo && !editing) return;
    if (editing) setText(editing.text ?? '');
    field.current?.focus();
  }, [replyTo, editing]);

  function write(next: string): void {
    setText(next);
    if (editing) return;
    unsent.set(own, next);
    chat.setTyping(groupId, next !== '');
  }

  function stop(): void {
    if (editing) setText(unsent.get(own) ?? '');
    onDraft({});
    field.current?.focus();
  }

  const send = useAction(async () => {
    const written = text.trim();
    if (editing) {
      if (written === '') return;
      await chat.edit(groupId, editing.id, written);
      setText(unsent.get(own) ?? '');
      return onDraft({});
    }
    const kept = files.filter(({ upload }) => upload.getSnapshot().status !== 'refused');
    if (written === '' && kept.length === 0) return;
    const fileIds = await Promise.all(kept.map(({ upload }) => upload.uploaded));
    chat.send({
      groupId,
      ...(written !== '' && { text: written }),
      ...(fileIds.length > 0 && { fileIds }),
      ...(replyTo && { replyTo: replyTo.id }),
    });
    write('');
    setFiles([]);
    onDraft({});
  });

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    send.run();
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape' && (replyTo || editing)) return stop();
    // With a keyboard on the screen, another line is what Enter is for.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || isTouched()) return;
    event.preventDefault();
    send.run();
  }

  function attach(chosen: FileList | null): void {
    const added = [...(chosen ?? [])].map((file) => ({
      key: nextKey++,
      name: file.name,
      upload: chat.upload({ groupId, file }),
    }));
    setFiles((before) => [...before, ...added]);
    if (picker.current) picker.current.value = '';
    field.current?.focus();
  }

  function detach({ key, upload }: Attached): void {
    upload.uploaded.catch(() => undefined);
    upload.cancel();
    setFiles((before) => before.filter((each) => each.key !== key));
    field.current?.focus();
  }

  const {
    attach: attachFiles,
    editing: isEditing,
    replyTo: answerTo,
    send: sendIt,
    somebody,
    write: label,
    writeHint,
  } = words.conversation;
  return (
    <form className="composer" onSubmit={submit}>
      <Typing groupId={groupId} />
      {(replyTo || editing) && (
        <p className="row">
          <span dir="auto">{editing ? isEditing : answerTo(replyTo!.sender.displayName || somebody)}</span>
          <button type="button" onClick={stop}>
            {words.cancel}
          </button>
        </p>
      )}
      {files.length > 0 && (
        <ul className="uploads">
          {files.map((file) => (
            <UploadItem key={file.key} name={file.name} upload={file.upload} onRemove={() => detach(file)} />
          ))}
        </ul>
      )}
      <Problem of={send.problem} />
      <label htmlFor={id} className="hidden">
        {label}
      </label>
      <div className="write">
        <textarea
          ref={field}
          id={id}
          rows={1}
          dir="auto"
          value={text}
          placeholder={label}
          maxLength={limits?.message.textLength}
          aria-describedby={`${id}-hint`}
          enterKeyHint="enter"
          onChange={({ currentTarget }) => write(currentTarget.value)}
          onBlur={() => chat.setTyping(groupId, false)}
          onKeyDown={onKey}
        />
        <small id={`${id}-hint`} className="hidden">
          {writeHint}
        </small>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={({ currentTarget }) => attach(currentTarget.files)}
        />
        {!editing && (
          <button
            type="button"
            aria-label={attachFiles}
            title={attachFiles}
            onClick={() => picker.current?.click()}
          >
            +
          </button>
        )}
        <button type="submit" className="main">
          {editing ? words.save : sendIt}
        </button>
      </div>
    </form>
  );
}

function Typing({ groupId }: { groupId: string }) {
  const chat = useChat();
  const ids = useStore(chat.typing(groupId));
  const known = useStore(chat.people);
  const names = ids.map((id) => known.get(id) ?? words.conversation.somebody);
  return (
    <p className="quiet typing" dir="auto">
      {names.length > 0 && words.conversation.typing(names)}
    </p>
  );
}
