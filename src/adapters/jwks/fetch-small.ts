/**
 * Fetches a document of JSON as a whole. Rejects when there is no answer of status 200, when the answer leads elsewhere,
 * and when it is larger than `maxBytes`.
 */
export async function fetchSmall(
  url: string,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal | null },
): Promise<Response> {
  const headers = { accept: 'application/json' };
  const answer = await fetch(url, { signal, headers, redirect: 'manual' });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`${url} was answered ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`${url} was answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), {
    status: 200,
    headers: { 'content-type': 'application/json' },
  });
}
