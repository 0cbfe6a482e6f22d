import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Bundles the handler into one file, and the program of its sandbox into another:
 * `node lambda/scan-upload/build.ts [folder]`.
 */
await build({
  entryPoints: [here('handler.ts'), here('../../src/files/inspect/sandbox-process.ts')],
  entryNames: '[name]',
  outdir: process.argv[2] ?? here('dist'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // The server makes the thumbnails.
  external: ['*/make-thumbnail.ts'],
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS packages load Node's modules by `require`, which an ES module does not have.
  banner: {
    js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
  },
});
