import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Builds what is made of the sources. `npm install` runs it. */

const CLIENT = join(import.meta.dirname, '../packages/chat-client');

/** Returns the program of TypeScript; undefined without the development dependencies. */
function typescript(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  } catch {
    return undefined;
  }
}

/** Builds the client package, for programs that import it by its name. */
async function buildClient(): Promise<void> {
  await rm(join(CLIENT, 'dist'), { recursive: true, force: true });
  await build({
    entryPoints: [join(CLIENT, 'src/index.ts')],
    outfile: join(CLIENT, 'dist/index.js'),
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'es2023',
    // The project's own is about checking, and a part of it comes with the development dependencies.
    tsconfigRaw: {},
    sourcemap: true,
    logLevel: 'warning',
  });
  const tsc = typescript();
  if (tsc === undefined) return;
  const project = join(CLIENT, 'tsconfig.build.json');
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
}

await buildClient();
