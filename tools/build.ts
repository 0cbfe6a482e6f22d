import { execFileSync } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';

/** Builds what is made of the sources. `npm install` runs it. */

const CLIENT = join(import.meta.dirname, '../packages/chat-client');
const WEB = join(import.meta.dirname, '../web');

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

/** Builds the pages for people, which the server sends as they are: each file with its compressed form beside it. */
async function buildWeb(): Promise<void> {
  const folder = join(WEB, 'dist');
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: ['main.tsx', 'style.css', 'icon.svg'].map((name) => join(WEB, name)),
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: ['es2023', 'chrome111', 'firefox114', 'safari16.4'],
    jsx: 'automatic',
    tsconfigRaw: {},
    loader: { '.svg': 'copy' },
    define: { 'process.env.NODE_ENV': '"production"' },
    // A name says what is in the file, so browsers keep it for good.
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    metafile: true,
    absWorkingDir: WEB,
    logLevel: 'warning',
  });
  // Browsers ask for it anew by its name.
  await build({
    entryPoints: [join(WEB, 'service-worker.ts')],
    outfile: join(folder, 'service-worker.js'),
    bundle: true,
    minify: true,
    target: 'es2023',
    tsconfigRaw: {},
    logLevel: 'warning',
  });
  const outputs = Object.entries(metafile.outputs);
  const nameOf = (source: string) => {
    const found = outputs.find(([path, { entryPoint, inputs }]) =>
      entryPoint === undefined ? source in inputs && !path.endsWith('.js') : entryPoint === source,
    );
    return basename(found![0]);
  };
  const script = nameOf('main.tsx');
  const parts = metafile.outputs[`dist/${script}`]!.imports.filter(({ kind }) => kind === 'import-statement');
  const page = (await readFile(join(WEB, 'index.html'), 'utf8'))
    .replace(/\{(main\.tsx|style\.css|icon\.svg)\}/g, (_, source: string) => `/web/${nameOf(source)}`)
    .replace(
      '{parts}',
      parts.map(({ path }) => `<link rel="modulepreload" href="/web/${basename(path)}">`).join(''),
    );
  await writeFile(join(folder, 'index.html'), page);
  for (const name of await readdir(folder))
    await writeFile(
      join(folder, `${name}.gz`),
      await promisify(gzip)(await readFile(join(folder, name)), { level: 9 }),
    );
}

await buildClient();
await buildWeb();
