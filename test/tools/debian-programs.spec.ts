import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { program } from '../../tools/debian-programs.ts';

test('An epmd on the PATH without the rest of RabbitMQ is not used', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-epmd-'));
  const { PATH } = process.env;
  await writeFile(join(folder, 'epmd'), '#!/bin/sh\n', { mode: 0o755 });
  process.env['PATH'] = [PATH, folder].join(delimiter);
  try {
    expect(program('epmd').command).not.toBe(join(folder, 'epmd'));
  } finally {
    process.env['PATH'] = PATH;
    await rm(folder, { recursive: true });
  }
});
