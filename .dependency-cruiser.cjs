/** Who may import whom. `npm run boundaries` checks it. */
const CORE = '^src/(query-cache|cache-invalidation)/core/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-is-pure',
      severity: 'error',
      comment:
        'The core is plain TypeScript, so that it can be read, tested and reused without a framework.',
      from: { path: CORE, pathNot: '\\.spec\\.ts$' },
      to: { path: '^(src|test|node_modules)/', pathNot: CORE },
    },
    {
      name: 'core-uses-only-built-ins',
      severity: 'error',
      comment: 'The core needs no package: only what Node itself brings.',
      from: { path: CORE, pathNot: '\\.spec\\.ts$' },
      to: {
        dependencyTypes: [
          'npm',
          'npm-dev',
          'npm-optional',
          'npm-peer',
          'npm-no-pkg',
          'npm-unknown',
        ],
      },
    },
    {
      name: 'read-core-stands-alone',
      severity: 'error',
      comment:
        'The read side works without the write side, so its core does not know that of the write side.',
      from: { path: '^src/query-cache/' },
      to: { path: '^src/cache-invalidation/' },
    },
    {
      name: 'cache-knows-no-feature',
      severity: 'error',
      comment:
        'The cache modules serve any service: they take what they need as options and injected values.',
      from: { path: '^src/(query-cache|cache-invalidation)/' },
      to: {
        path: '^src/(users|regions|health|metrics|config|database|http|logging)/|^src/[^/]+\\.ts$',
      },
    },
    {
      name: 'query-cache-by-its-index',
      severity: 'error',
      comment: 'What index.ts does not name is internal and may change at any time.',
      from: { path: '^src/', pathNot: '^src/(query-cache|cache-invalidation)/' },
      to: { path: '^src/query-cache/', pathNot: '^src/query-cache/index\\.ts$' },
    },
    {
      name: 'cache-invalidation-by-its-index',
      severity: 'error',
      comment: 'What index.ts does not name is internal and may change at any time.',
      from: { path: '^src/', pathNot: '^src/cache-invalidation/' },
      to: { path: '^src/cache-invalidation/', pathNot: '^src/cache-invalidation/index\\.ts$' },
    },
    {
      name: 'write-side-uses-surface-or-core',
      severity: 'error',
      comment:
        'The write side shares the words of the core with the read side and otherwise uses its public surface.',
      from: { path: '^src/cache-invalidation/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/query-cache/', pathNot: '^src/query-cache/(index\\.ts$|core/)' },
    },
    {
      name: 'redis-knows-no-one',
      severity: 'error',
      comment: 'The Redis client is below the cache that uses it.',
      from: { path: '^src/redis/' },
      to: { path: '^src/', pathNot: '^src/redis/' },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      comment: 'Production code has no test knowledge.',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'A production install leaves development packages out.',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'npm-optional', 'type-only'],
      },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing fails at start.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Modules in a cycle have no order in which they can be read, loaded or tested.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
