import { type NamedFile, type Upload, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { sayWhy, useAction, useChat, useLoad, useStore } from '../client.tsx';
import { words } from '../words.ts';
import { Problem } from './page.tsx';

/** A file of a message. It can be downloaded once it was found clean. */
export function SentFile({ file }: { file: NamedFile }) {
  const chat = useChat();
  const { fileId, name, size, status, thumbnailUrl } = file;
  const download = useAction(async () => {
    // Links work for a minute.
    const params = { path: { fileId } };
    const { url } = await dataOf(chat.rest.GET('/v1/files/{fileId}', { params }));
    if (url !== undefined) location.assign(url);
  });
  const { download: downloadIt, picture, size: sizeOf } = words.file;
  return (
    <li>
      {status === 'clean' ? (
        <button type="button" className="file" aria-label={downloadIt(name)} onClick={() => download.run()}>
          {thumbnailUrl !== undefined && (
            <Thumbnail fileId={fileId} url={thumbnailUrl} label={picture(name)} />
          )}
          <span dir="auto">{name}</span> <span className="quiet">{sizeOf(size)}</span>
        </button>
      ) : (
        <span className="file">
          <span dir="auto">{name}</span>{' '}
          {status === 'scanning' || status === 'pending' ? (
            <Waits status={status} />
          ) : (
            <Refused fileId={fileId} />
          )}
        </span>
      )}
      <Problem of={download.problem} />
    </li>
  );
}

/** Links to pictures work for an hour. A window may be open for longer. */
function Thumbnail({ fileId, url, label }: { fileId: string; url: string; label: string }) {
  const chat = useChat();
  const [renewed, setRenewed] = useState<string>();
  const [isBroken, setBroken] = useState(false);
  const renew = useAction(async () => {
    const params = { path: { fileId } };
    const { thumbnailUrl } = await dataOf(chat.rest.GET('/v1/files/{fileId}', { params }));
    setRenewed(thumbnailUrl);
    setBroken(thumbnailUrl === undefined);
  });
  if (isBroken || renew.problem !== undefined) return null;
  return (
    // The link may be the same again: another element asks for it once more.
    <img
      key={renewed === undefined ? 'given' : 'renewed'}
      src={renewed ?? url}
      alt={label}
      onError={() => (renewed === undefined ? renew.run() : setBroken(true))}
    />
  );
}

const Waits = ({ status }: { status: 'scanning' | 'pending' }) => (
  <span className="quiet">{words.file[status]}</span>
);

function Refused({ fileId }: { fileId: string }) {
  const chat = useChat();
  const { data } = useLoad(
    () => dataOf(chat.rest.GET('/v1/files/{fileId}', { params: { path: { fileId } } })),
    [fileId],
  );
  return <span className="wrong">{refusal(data?.reason)}</span>;
}

const refusal = (reason: string | undefined): string => {
  const why = words.file.reasons[reason ?? ''];
  return why === undefined ? words.file.rejected : words.file.refused(why);
};

/** A file that goes along with the message that is being written. */
export function UploadItem({
  name,
  upload,
  onRemove,
}: {
  name: string;
  upload: Upload;
  onRemove: () => void;
}) {
  const { status, sent, size, reason, problem } = useStore(upload);
  const { failed, remove, scanning, sending } = words.file;
  return (
    <li>
      <span dir="auto">{name}</span>{' '}
      {status === 'sending' && (
        <>
          <progress value={sent} max={size || 1} aria-label={name} />{' '}
          <span className="quiet">{sending(words.percent(size === 0 ? 0 : sent / size))}</span>
        </>
      )}
      {status === 'scanning' && <span className="quiet">{scanning}</span>}
      {status === 'clean' && <span className="quiet">{words.file.size(size)}</span>}
      <span role="status">
        {status === 'refused' && <span className="wrong">{refusal(reason)}</span>}
        {status === 'failed' && (
          <span className="wrong">
            {failed} {sayWhy(problem)}
          </span>
        )}
      </span>
      <button type="button" aria-label={remove(name)} onClick={onRemove}>
        ✕
      </button>
    </li>
  );
}
