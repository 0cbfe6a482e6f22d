/** A folder of src may import itself, the kit, and what is listed: other folders or files of src, and packages as `npm:name`. */
const only = (folder, ...allowed) => ({
  name: `${folder}-imports`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^(src|node_modules)/',
    pathNot: [
      `^src/${folder}/`,
      '^src/kit/',
      ...allowed.map((name) =>
        name.startsWith('npm:')
          ? `^node_modules/${name.slice(4)}/`
          : `^src/${name}${name.endsWith('.ts') ? '$' : '/'}`,
      ),
    ],
  },
});

module.exports = {
  forbidden: [
    only('kit'),
    only('events', 'npm:zod'),
    only('commands', 'events', 'npm:immutable', 'npm:zod'),
    only(
      'auth',
      'events',
      'commands',
      'npm:zod',
      'npm:jose',
      'npm:lru-cache',
      'npm:@node-rs/argon2',
      'npm:ipaddr.js',
      'npm:@zxcvbn-ts/language-common',
      'npm:pino',
    ),
    only('search'),
    only('projections', 'events', 'search', 'npm:zod'),
    only('queries', 'events', 'commands', 'projections', 'search', 'npm:zod', 'npm:slonik'),
    only('reactions', 'events', 'commands', 'npm:zod', 'npm:pino', 'npm:lru-cache'),
    only('files', 'events', 'commands', 'npm:zod', 'npm:pino', 'npm:file-type', 'npm:sharp'),
    only(
      'notifications',
      'events',
      'commands',
      'projections/projection.ts',
      'npm:zod',
      'npm:pino',
      'npm:luxon',
    ),
    only(
      'realtime',
      'events',
      'commands',
      'queries',
      'auth',
      'http/problem.ts',
      'projections/projection.ts',
      'npm:zod',
      'npm:pino',
      'npm:socket.io',
      'npm:ws',
      'npm:lru-cache',
    ),
    only(
      'http',
      'events',
      'commands',
      'queries',
      'projections/projection.ts',
      'auth',
      'files',
      'notifications',
      'npm:zod',
      'npm:pino',
      'npm:content-disposition',
      'npm:fastify',
      'npm:@fastify',
      'npm:fastify-type-provider-zod',
      'npm:@scalar',
    ),
    {
      name: 'hostile-bytes-aside',
      comment:
        'What parses the bytes of clients runs in the sandbox, never in the process that serves everybody.',
      severity: 'error',
      from: {
        path: '^(src|lambda)/',
        pathNot: '^src/files/(sandbox-process|judge|make-thumbnail|sniff[a-z-]*)\\.ts$',
      },
      to: {
        path: '^src/files/(judge|make-thumbnail|sniff(?!-check\\.ts)[a-z-]*)\\.ts$|^node_modules/(sharp|file-type)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'platform-imports',
      comment: 'An adapter implements ports, which are types; who asks over the network is not its business.',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/(http|realtime)/|^src/[^/]+\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'platform-only-from-compose',
      comment: 'The core knows ports. compose.ts joins them with adapters.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(platform/|compose/|(compose|main)\\.ts$)' },
      to: { path: '^src/platform/' },
    },
    {
      name: 'main-starts-and-stops',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(compose|config|platform/logger|platform/npm-gone)\\.ts$' },
    },
    {
      name: 'nobody-imports-the-start',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main\\.ts$' },
      to: { path: '^src/(main|compose)\\.ts$' },
    },
    {
      name: 'domain-without-node',
      comment: 'What happened, what may happen and what is found are decided without I/O.',
      severity: 'error',
      from: { path: '^src/(events|commands|search)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'development-dependencies-stay-outside',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      // A package of types alone.
      to: { couldNotResolve: true, pathNot: '^aws-lambda$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
