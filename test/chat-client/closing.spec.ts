import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

test('a program ends once it has closed its client, whatever it still listens to', async () => {
  const problem = { code: 'UNAVAILABLE', status: 503, retryable: true, retryAfterMs: 10 };
  const server = createServer((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const program = join(import.meta.dirname, '../support/chat-client/closing-process.ts');
  const args = ['--unhandled-rejections=strict', program, url];
  await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  server.closeAllConnections();
  server.close();
}, 40_000);
