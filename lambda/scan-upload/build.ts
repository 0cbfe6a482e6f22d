import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Puts the handler and everything it needs into one file: `node lambda/scan-upload/build.ts [where to]`. */
await build({
  entryPoints: [here('handler.ts')],
  outfile: process.argv[2] ?? here('dist/handler.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // Packages in CommonJS load what belongs to Node by `require`, which a module does not have.
  banner: {
    js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
  },
});
