import { availableParallelism } from 'node:os';

const LIBRARY = '<rootDir>/packages/tidemark';

/** One project a kind of test; `npm run test:<kind>` selects it. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // The tests run the sources of the library, also where the service imports it by its name.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@tidemark/nestjs$': `${LIBRARY}/src/index.ts`,
    '^@tidemark/nestjs/testing$': `${LIBRARY}/src/testing/index.ts`,
  },
  transform: { '^.+\\.ts$': '@swc/jest' },
  modulePathIgnorePatterns: [
    '<rootDir>/dist',
    '<rootDir>/bench',
    '<rootDir>/examples',
    '<rootDir>/.data',
    `${LIBRARY}/dist`,
  ],
};

/** Kinds that need a database share one PostgreSQL server, started once for the run. */
const withDatabase = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

/** @param folders of the kind, as a pattern below `test/` of the service or of the library. */
const underTest = (kind, folders = kind) => ({
  ...shared,
  ...withDatabase,
  displayName: kind,
  testRegex: `/test/${folders}/.*\\.spec\\.ts$`,
  testPathIgnorePatterns: ['/node_modules/', ...leftOut],
});

/** The files that only `npm run test:long` runs (test/README.md). */
const LONG_ALONE = ['/test/faults/(redis-failover|outbox-waiting)\\.spec\\.ts$'];
const leftOut = process.env.TIDEMARK_LONG_TESTS === '1' ? [] : LONG_ALONE;

const INTEGRATION =
  '(integration|catalog|database|matrix|outbox|reads|redis|routes|start|triggers|writes)';

/** The same applications on TypeORM 0.3, which all packages get that ask for `typeorm`. */
const onTypeorm03 = {
  ...underTest('typeorm-0.3', '(matrix|reads|routes)'),
  moduleNameMapper: {
    ...shared.moduleNameMapper,
    '^typeorm$': 'typeorm-0.3',
    '^typeorm/(.*)$': 'typeorm-0.3/$1',
  },
};

/** The PostgreSQL of the system, mostly an older one (scripts/system-postgres.mjs). */
const onSystem = {
  ...shared,
  displayName: 'system',
  testRegex: [
    '/packages/tidemark/test/outbox/(cache-triggers|outside-writes|own-writes)\\.spec\\.ts$',
    '/packages/tidemark/test/system/.*\\.spec\\.ts$',
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
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/scripts/totals-reporter.mjs'],
  projects: [
    { ...shared, displayName: 'unit', testRegex: '/src/.*\\.spec\\.ts$' },
    underTest('contract'),
    underTest('protocol'),
    underTest('integration', INTEGRATION),
    underTest('e2e'),
    underTest('checker'),
    underTest('faults'),
    ...(process.env.TIDEMARK_LONG_TESTS ? [onTypeorm03] : []),
    ...(process.env.SYSTEM_POSTGRES_BIN ? [onSystem] : []),
  ],
};
