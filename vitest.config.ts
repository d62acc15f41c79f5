/** The tests: kinds and lengths as test/README.md has them. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LIBRARY = 'packages/tidemark';
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const isLong = process.env['TIDEMARK_LONG_TESTS'] === '1';

/** The files that wait for processes and leases, the slowest first. */
const SLOW = [
  'faults/redis-failover',
  'faults/outbox-waiting',
  'faults/steps',
  'faults/trouble-by-policy',
  'faults/redis-data-lost',
  'e2e/page',
  'contract/redis-cluster-outages',
  'outbox/relay',
  'redis/redis-cluster-away',
  'page/page-client',
  'integration/embedded-database',
  'checker/cli',
  'observe/instance-reports',
  'protocol/explorer',
  'outbox/unpublished-writes',
  'outbox/recording-changes',
  'e2e/shutdown',
  'e2e/instances',
];

/** Begins the slow files at even intervals, so that the others use the processor meanwhile. */
class SlowAmongOthers extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const slow = SLOW.flatMap((name) =>
      sorted.filter(({ moduleId }) => moduleId.endsWith(`/test/${name}.spec.ts`)),
    );
    const others = sorted.filter((file) => !slow.includes(file));
    const between = Math.floor(others.length / (slow.length + 1));
    return [...slow.flatMap((file) => [file, ...others.splice(0, between)]), ...others];
  }
}

/** The tests run the sources of the library, also where the service imports it by its name. */
const library = [
  { find: /^@tidemark\/nestjs$/, replacement: at(`${LIBRARY}/src/index.ts`) },
  {
    find: /^@tidemark\/nestjs\/(testing|metrics|tracing|page)$/,
    replacement: at(`${LIBRARY}/src/$1/index.ts`),
  },
];

const project = (
  name: string,
  test: TestProjectInlineConfiguration['test'],
  alias = library,
): TestProjectInlineConfiguration => ({
  extends: true,
  resolve: { alias },
  test: { name, ...test },
});

/** The same applications on TypeORM 0.3, which all packages get that ask for `typeorm`. */
const onTypeorm03 = project(
  'typeorm-0.3',
  {
    include: [`${LIBRARY}/test/{matrix,reads,routes}/**/*.spec.ts`],
    globalSetup: 'test/support/shared-server.setup.ts',
    execArgv: ['--import', at('test/support/use-typeorm-0.3.mjs')],
  },
  [...library, { find: /^typeorm(?=$|\/)/, replacement: 'typeorm-0.3' }],
);

/** The PostgreSQL of the system, mostly an older one (scripts/system-postgres.mjs). */
const onSystem = project('system', {
  include: [
    `${LIBRARY}/test/outbox/{cache-triggers,outside-writes,own-writes}.spec.ts`,
    `${LIBRARY}/test/system/**/*.spec.ts`,
  ],
  globalSetup: 'test/support/system-server.setup.ts',
  setupFiles: 'test/support/use-system-postgres.ts',
});

export default defineConfig({
  test: {
    // A process runs many files and loads Nest and TypeORM once.
    isolate: false,
    pool: 'forks',
    // Many wait, for servers that start and for leases that run out: two more than there are cores.
    maxWorkers: Math.min(4, availableParallelism() + 2),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Hooks run in the order in which they are written.
    sequence: { hooks: 'list', sequencer: SlowAmongOthers },
    reporters: ['default', './scripts/totals-reporter.ts'],
    projects: [
      project('unit', { include: ['src/**/*.spec.ts', `${LIBRARY}/{src,page}/**/*.spec.ts`] }),
      project('servers', {
        include: ['test/**/*.spec.ts', `${LIBRARY}/test/**/*.spec.ts`],
        exclude: [
          `${LIBRARY}/test/system/**`,
          ...(isLong ? [] : ['test/faults/{redis-failover,outbox-waiting}.spec.ts']),
        ],
        globalSetup: 'test/support/shared-server.setup.ts',
      }),
      ...(isLong ? [onTypeorm03] : []),
      ...(process.env['SYSTEM_POSTGRES_BIN'] ? [onSystem] : []),
    ],
  },
});
