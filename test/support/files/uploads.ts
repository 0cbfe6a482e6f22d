import type { Person, TestApp } from '../stages/app.ts';
import { until } from '../../../tools/until.ts';

export interface NewFile {
  groupId: string;
  name: string;
  contentType: string;
  bytes: Uint8Array<ArrayBuffer>;
  sha256?: string;
}

export interface Upload {
  method: string;
  url: string;
  headers: Record<string, string>;
  expiresAt: string;
}

/** A file as the REST API shows it. */
export interface FileView {
  fileId: string;
  status: string;
  name: string;
  contentType: string;
  size: number;
  reason?: string;
  url?: string;
  expiresAt?: string;
  thumbnail?: { url: string };
}

/** The calls that upload and download files, made by one user. */
export function filesOf(app: Pick<TestApp, 'ask'>, as: Person) {
  async function must<T>(method: string, path: string, status: number, body?: unknown): Promise<T> {
    const answer = await app.ask(method, path, { as, body });
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body as T;
  }
  const read = (fileId: string) => must<FileView>('GET', `/v1/files/${fileId}`, 200);

  return {
    request: ({ groupId, name, contentType, bytes, sha256 }: NewFile) =>
      must<{ fileId: string; upload: Upload; status: string }>('POST', '/v1/files', 201, {
        ...{ groupId, name, contentType, size: bytes.length },
        ...(sha256 !== undefined && { sha256 }),
      }),
    complete: (fileId: string) => must<{ status: string }>('POST', `/v1/files/${fileId}/complete`, 202),
    read,
    /** Requests an upload, sends the bytes and completes it. Returns the id. */
    async upload(file: NewFile): Promise<string> {
      const { fileId, upload } = await this.request(file);
      const answer = await put(upload, file.bytes);
      if (!answer.ok) throw new Error(`the upload was answered ${answer.status}: ${await answer.text()}`);
      await this.complete(fileId);
      return fileId;
    },
    /** Resolves with the file once its status is neither pending nor scanning. */
    async settled(fileId: string, withinMs = 20_000): Promise<FileView> {
      let file = await read(fileId);
      await until(
        async () => !['pending', 'scanning'].includes((file = await read(fileId)).status),
        `${fileId} to be decided`,
        withinMs,
      );
      return file;
    },
  };
}

/** Sends the bytes as the server requested. */
export const put = ({ method, url, headers }: Upload, bytes: Uint8Array<ArrayBuffer>) =>
  fetch(url, { method, headers, body: bytes });
