/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/jest/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/jest/global-teardown.ts',
  testSequencer: '<rootDir>/test/support/jest/longest-first.js',
  maxWorkers: 3,
  // What a suite has loaded as modules stays in its worker for good: one that has grown begins anew.
  workerIdleMemoryLimit: '300MB',
  // A worker at the end of a run gives back 300 MB and the modules of all its suites before it is gone: on a machine with
  // other work that takes longer than the half second that Jest waits by default.
  workerGracefulExitTimeout: 5_000,
  testTimeout: 60_000,
};
