import type { components } from './protocol.ts';
import { ChatProblem, asProblem, noAnswer, problemOf } from './problem.ts';
import { type Rest, dataOf } from './rest.ts';
import { type Store, createStore } from './store.ts';
import { pause } from './waiting.ts';

type SharedFile = components['schemas']['SharedFile'];

export interface NewFile {
  groupId: string;
  /** A `File` of the browser, or a `Blob` with a name. */
  file: Blob;
  name?: string;
}

export interface UploadState {
  /** `sending` the bytes, then `scanning`. The last three are the end. */
  status: 'sending' | 'scanning' | 'clean' | 'refused' | 'failed';
  /** Bytes that have left, of `size`. */
  sent: number;
  size: number;
  /** The id of the file, once there is one. */
  fileId?: string;
  /** Why the scan refused it. */
  reason?: string;
  /** Why it failed. */
  problem?: ChatProblem;
}

export interface Upload extends Store<UploadState> {
  /** Resolves with the id once the bytes are there: a message may name the file, which is still scanned. */
  uploaded: Promise<string>;
  /** Resolves with the outcome of the scan. Rejects with `ChatProblem` when it did not get that far. */
  scanned: Promise<SharedFile>;
  cancel: () => void;
}

export interface UploadDeps {
  rest: Rest;
  request: typeof fetch;
  /** Calls `listener` when the state of a file may have changed. */
  onFileChanged: (listener: (fileId: string) => void) => () => void;
}

/** A push may be lost, so the state is looked at now and then. */
const LOOK_MS = 5_000;

type Put = NonNullable<components['schemas']['UploadRequested']['upload']>;

/** Only `XMLHttpRequest` tells how much of a body has left. */
function sendBytes(
  to: Put,
  file: Blob,
  told: (sent: number) => void,
  signal: AbortSignal,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open(to.method, to.url);
    for (const [name, value] of Object.entries(to.headers)) call.setRequestHeader(name, value);
    call.upload.onprogress = ({ loaded }) => told(loaded);
    call.onload = () => resolve(new Response(call.responseText, { status: call.status }));
    call.onerror = () => reject(noAnswer('The upload was broken off'));
    call.onabort = () => reject(new ChatProblem({ code: 'CANCELLED' }));
    signal.addEventListener('abort', () => call.abort(), { once: true });
    if (signal.aborted) call.abort();
    else call.send(file);
  });
}

/** Uploads a file at once. */
export function upload(
  { groupId, file, name }: NewFile,
  { rest, request, onFileChanged }: UploadDeps,
): Upload {
  const state = createStore<UploadState>({ status: 'sending', sent: 0, size: file.size });
  const cancelled = new AbortController();
  const { signal: ends } = cancelled;
  const change = (changes: Partial<UploadState>) => state.set({ ...state.getSnapshot(), ...changes });

  async function put(to: Put): Promise<void> {
    const told = (sent: number) => change({ sent });
    const response =
      typeof XMLHttpRequest === 'undefined'
        ? await request(to.url, { method: to.method, headers: to.headers, body: file, signal: ends })
        : await sendBytes(to, file, told, ends);
    if (!response.ok) throw await problemOf(response);
    told(file.size);
  }

  async function send(): Promise<string> {
    const named = name ?? (file as Partial<File>).name ?? 'file';
    // Where the browser does not know the type, the server finds it by the name and the bytes.
    const body = {
      groupId,
      name: named,
      size: file.size,
      contentType: file.type || 'application/octet-stream',
    };
    const { fileId, upload: to } = await dataOf(rest.POST('/v1/files', { body, signal: ends }));
    change({ fileId });
    await put(to);
    const params = { path: { fileId } };
    await dataOf(rest.POST('/v1/files/{fileId}/complete', { params, signal: ends }));
    change({ status: 'scanning' });
    return fileId;
  }

  async function scan(fileId: string): Promise<SharedFile> {
    for (;;) {
      const found = await dataOf(
        rest.GET('/v1/files/{fileId}', { params: { path: { fileId } }, signal: ends }),
      );
      if (found.status === 'clean') {
        change({ status: 'clean' });
        return found;
      }
      if (found.status !== 'pending' && found.status !== 'scanning') {
        change({ status: 'refused', ...(found.reason !== undefined && { reason: found.reason }) });
        return found;
      }
      await changed(fileId);
    }
  }

  async function changed(fileId: string): Promise<void> {
    const heard = new AbortController();
    const leave = onFileChanged((id) => {
      if (id === fileId) heard.abort();
    });
    await pause(LOOK_MS, AbortSignal.any([heard.signal, ends]));
    leave();
  }

  function fail(error: unknown): never {
    const problem = cancelled.signal.aborted ? new ChatProblem({ code: 'CANCELLED' }) : asProblem(error);
    change({ status: 'failed', problem });
    throw problem;
  }

  const uploaded = send().catch(fail);
  const scanned = uploaded.then((fileId) => scan(fileId).catch(fail));
  // Most callers watch the state.
  scanned.catch(() => undefined);
  return { ...state, uploaded, scanned, cancel: () => cancelled.abort() };
}
