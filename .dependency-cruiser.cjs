const rooms = require('./imports.json');

/** A folder of src may import itself, the kit, and what imports.json lists for it. */
const only = ([folder, { folders = [], packages = [] }]) => ({
  name: `${folder}-imports`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^(src|node_modules)/',
    pathNot: [
      ...[folder, 'kit', ...folders].map((name) => `^src/${name}${name.endsWith('.ts') ? '$' : '/'}`),
      ...packages.map((name) => `^node_modules/${name}/`),
    ],
  },
});

module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(only),
    {
      name: 'every-folder-has-a-rule',
      severity: 'error',
      from: {
        path: '^src/[^/]+/',
        pathNot: ['^src/compose/', ...Object.keys(rooms).map((name) => `^src/${name}/`)],
      },
      to: {},
    },
    {
      name: 'hostile-bytes-aside',
      comment:
        'What parses the bytes of clients runs in the sandbox, never in the process that serves everybody.',
      severity: 'error',
      from: {
        path: '^(src|lambda)/',
        pathNot: '^src/files/(inspect/(sandbox-process|judge-bytes|make-thumbnail)|sniff/[a-z-]+)\\.ts$',
      },
      to: {
        path: '^src/files/(inspect/(judge-bytes|make-thumbnail)|sniff/(?!sniff-check\\.ts)[a-z-]+)\\.ts$|^node_modules/(sharp|file-type)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'realtime-and-http-as-ports',
      comment: 'An adapter implements ports, which are types; who asks over the network is not its business.',
      severity: 'error',
      from: { path: '^src/adapters/' },
      to: { path: '^src/(http|realtime)/|^src/[^/]+\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-only-from-compose',
      comment: 'The core knows ports. compose.ts joins them with adapters.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(adapters/|operations/|compose/|(compose|main)\\.ts$)' },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'opentelemetry-only-when-asked',
      comment: 'Without an endpoint nothing of it is loaded.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/opentelemetry/' },
      to: {
        path: '^src/adapters/opentelemetry/|^node_modules/@opentelemetry/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'main-starts-and-stops',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(compose|config|adapters/pino/logger|adapters/os/npm-gone)\\.ts$' },
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
      to: { path: '^(test|bench|scripts|tools|packages|web)/' },
    },
    {
      name: 'tools-stand-outside-of-tests',
      severity: 'error',
      from: { path: '^(tools|scripts)/' },
      to: { path: '^(test|bench)/' },
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
    {
      name: 'packages-stand-alone',
      comment: 'They are published: what they need, they bring or depend on.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { pathNot: '^packages/$1/|^node_modules/(socket\\.io-client|openapi-fetch|idb)/' },
    },
    {
      name: 'pages-know-the-client-alone',
      comment: 'They run in browsers, and speak to the server as every other client does.',
      severity: 'error',
      from: { path: '^web/' },
      to: {
        pathNot:
          '^web/|^packages/chat-client/|^node_modules/(react|react-dom|@types|@tanstack|lean-qr|slay-e-chat-client)(/|$)',
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
    exclude: { path: '^packages/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.json'],
    },
  },
};
