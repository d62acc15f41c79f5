import { availableParallelism } from 'node:os';

/** One project a kind of test; `npm run test:<kind>` selects it. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/bench', '<rootDir>/.data'],
};

/** Kinds that need a database share one PostgreSQL server, started once for the run. */
const withDatabase = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

const underTest = (kind) => ({
  ...shared,
  ...withDatabase,
  displayName: kind,
  testRegex: `/test/${kind}/.*\\.spec\\.ts$`,
});

/** The PostgreSQL of the system, mostly an older one (scripts/system-postgres.mjs). */
const onSystem = {
  ...shared,
  displayName: 'system',
  testRegex: [
    '/test/integration/outbox/(cache-triggers|outside-writes|own-writes)\\.spec\\.ts$',
    '/test/system/.*\\.spec\\.ts$',
  ],
  globalSetup: '<rootDir>/test/support/system-setup.mjs',
  globalTeardown: '<rootDir>/test/support/system-teardown.mjs',
  setupFiles: ['<rootDir>/test/support/use-system-postgres.mjs'],
};

export default {
  testTimeout: 60_000,
  // Many wait, for servers that start and for leases that run out: one more than there are cores.
  maxWorkers: Math.min(4, availableParallelism() + 1),
  // Contexts of tests that are over are not given back whole.
  workerIdleMemoryLimit: '512MB',
  reporters: ['default', '<rootDir>/scripts/totals-reporter.mjs'],
  projects: [
    { ...shared, displayName: 'unit', testRegex: '/src/.*\\.spec\\.ts$' },
    underTest('contract'),
    underTest('integration'),
    underTest('e2e'),
    underTest('consistency'),
    underTest('faults'),
    ...(process.env.SYSTEM_POSTGRES_BIN ? [onSystem] : []),
  ],
};
