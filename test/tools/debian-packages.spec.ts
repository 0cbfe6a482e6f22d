import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { openPackageSource } from '../../tools/debian-packages.ts';

const run = promisify(execFile);

interface Package {
  name: string;
  /** Additional fields of the control file. */
  fields?: string[];
}

/**
 * The base packages are libc, sh and apt. Every system has a newer dpkg than this one, and the system of
 * these tests also has a part of the language.
 */
const PACKAGES: Package[] = [
  { name: 'libc' },
  { name: 'sh', fields: ['Essential: yes', 'Depends: libc'] },
  { name: 'apt', fields: ['Depends: libc'] },
  { name: 'language', fields: ['Depends: libc, sh'] },
  { name: 'language-ldap', fields: ['Depends: language (= 1.0)'] },
  { name: 'dpkg', fields: ['Depends: libc'] },
  { name: 'queue', fields: ['Depends: language, language-ldap, dpkg, sh', 'Recommends: colours'] },
  { name: 'colours' },
];
const INSTALLED = ['libc', 'sh', 'apt', 'language', 'colours'];

describe('a package from the system’s sources', () => {
  let folder: string;
  let aptConfig: string | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-packages-'));
    aptConfig = process.env['APT_CONFIG'];
    process.env['APT_CONFIG'] = await fakeSystem(folder);
  });
  afterAll(async () => {
    if (aptConfig === undefined) delete process.env['APT_CONFIG'];
    else process.env['APT_CONFIG'] = aptConfig;
    await rm(folder, { recursive: true, force: true });
  });

  async function extracted(name: string): Promise<string[]> {
    const work = await mkdtemp(join(folder, 'work-'));
    const source = await openPackageSource(work);
    await source.extract(name, join(work, 'root'));
    return (await readdir(join(work, 'root'))).toSorted();
  }

  test('includes all its dependencies, even installed ones', async () => {
    await expect(extracted('queue')).resolves.toEqual(['dpkg', 'language', 'language-ldap', 'queue']);
  });

  test('is downloaded even when installed', async () => {
    await expect(extracted('language')).resolves.toEqual(['language']);
  });

  test('is taken from the earlier download the second time', async () => {
    const work = await mkdtemp(join(folder, 'work-'));
    const source = await openPackageSource(work);
    await source.extract('queue', join(work, 'queue'));
    await source.extract('language-ldap', join(work, 'language-ldap'));
    await expect(readdir(join(work, 'language-ldap'))).resolves.toHaveLength(2);
  });

  test('is an error of apt when no source has it', async () => {
    await expect(extracted('unheard-of')).rejects.toThrow('Unable to locate package unheard-of');
  });
});

/**
 * Makes a source with the packages and a system with some of them installed. Returns the path of apt's
 * configuration.
 */
async function fakeSystem(folder: string): Promise<string> {
  const { stdout: architecture } = await run('dpkg', ['--print-architecture']);
  const control = ({ name, fields = [] }: Package) =>
    [`Package: ${name}`, 'Version: 1.0', `Architecture: ${architecture.trim()}`]
      .concat('Maintainer: A Test <test@example.org>', 'Description: for a test', fields)
      .join('\n');
  const pool = join(folder, 'pool');
  await mkdir(pool);
  const index: string[] = [];
  for (const each of PACKAGES) {
    const tree = join(folder, 'trees', each.name);
    await mkdir(join(tree, 'DEBIAN'), { recursive: true });
    await writeFile(join(tree, each.name), 'a file of the package');
    await writeFile(join(tree, 'DEBIAN/control'), `${control(each)}\n`);
    const file = join(pool, `${each.name}_1.0_${architecture.trim()}.deb`);
    await run('dpkg-deb', ['--root-owner-group', '--build', tree, file]);
    const bytes = await readFile(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    index.push(
      `${control(each)}\nFilename: ${relative(folder, file)}\nSize: ${bytes.length}\nSHA256: ${sha256}\n`,
    );
  }
  await writeFile(join(folder, 'Packages'), index.join('\n'));
  const installed = PACKAGES.filter(({ name }) => INSTALLED.includes(name));
  await writeFile(
    join(folder, 'status'),
    installed.map((each) => `${control(each)}\nStatus: install ok installed\n`).join('\n'),
  );
  await writeFile(join(folder, 'sources.list'), `deb [trusted=yes] copy:${folder} ./\n`);
  await writeFile(
    join(folder, 'apt.conf'),
    `Dir::State::status "${folder}/status";
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`,
  );
  return join(folder, 'apt.conf');
}
