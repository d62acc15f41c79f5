/** Who may import whom. `npm run boundaries` checks it. */
const LIBRARY = '^packages/tidemark/src/';
const BROWSER_PAGE = '^packages/tidemark/page/';
const SPEC = '\\.spec\\.ts$';

/** The layers of the library, the lowest first: each imports itself and what stands below it. */
const LAYERS = [
  ['core'],
  ['l1', 'redis', 'postgres', 'observe'],
  ['typeorm'],
  ['nestjs'],
  ['metrics', 'tracing', 'page'],
];

const inLayers = (layers) => `${LIBRARY}(${layers.join('|')})/`;

/** One rule for each layer: none of the others on its floor, and none of the floors above. */
const layerRules = LAYERS.flatMap((floor, number) =>
  floor.map((layer) => {
    const others = [
      ...floor.filter((other) => other !== layer),
      ...LAYERS.slice(number + 1).flat(),
    ];
    return {
      name: `${layer}-imports-nothing-above`,
      severity: 'error',
      comment:
        'Dependencies run one way: metrics, tracing and page, nestjs, typeorm, then postgres, redis, l1 and observe, then core.',
      from: { path: inLayers([layer]), pathNot: SPEC },
      to: { path: others.length > 0 ? inLayers(others) : '^$' },
    };
  }),
);

const packageOf = (names) => `(^|/)node_modules/(${names.join('|')})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'core-is-pure',
      severity: 'error',
      comment:
        'The core is plain TypeScript over Node alone, so that it can be read, tested and reused without a framework.',
      from: { path: inLayers(['core']), pathNot: SPEC },
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
      name: 'core-stands-alone',
      severity: 'error',
      comment: 'The core imports nothing of the library.',
      from: { path: inLayers(['core']), pathNot: SPEC },
      to: { path: '^(src|test|packages)/', pathNot: inLayers(['core']) },
    },
    {
      name: 'postgres-without-orm',
      severity: 'error',
      comment: 'Catalog, analysis and capture of writes serve any ORM over PostgreSQL.',
      from: { path: inLayers(['postgres', 'redis', 'l1', 'observe']), pathNot: SPEC },
      to: { path: packageOf(['typeorm', '@nestjs', 'fastify', 'express', 'rxjs']) },
    },
    {
      name: 'nest-at-the-edge',
      severity: 'error',
      comment: 'Nest and the HTTP adapters are known to the outermost layer alone.',
      from: { path: inLayers(['typeorm']), pathNot: SPEC },
      to: { path: packageOf(['@nestjs', 'fastify', 'express', 'rxjs']) },
    },
    {
      name: 'library-imports-no-http-adapter',
      severity: 'error',
      comment:
        'The library runs on Express and on Fastify: the other one need not be installed, neither its types.',
      from: { path: LIBRARY, pathNot: SPEC },
      to: {
        path: `${packageOf(['fastify', 'express', '@nestjs/platform-fastify', '@nestjs/platform-express'])}|^(fastify|express|@types/express)`,
      },
    },
    {
      name: 'page-in-the-browser',
      severity: 'error',
      comment:
        'Browsers get the page: of the library it knows the types of the API, which import nothing.',
      from: { path: BROWSER_PAGE, pathNot: SPEC },
      to: {
        path: '^packages/|(^|/)node_modules/',
        pathNot: `${BROWSER_PAGE}|${LIBRARY}(page/page-api|observe/report|core/ports/cache-events)\\.ts$|${packageOf(['preact', 'htm', 'uplot'])}`,
      },
    },
    {
      name: 'library-knows-no-service',
      severity: 'error',
      comment: 'The library serves any application.',
      from: { path: '^packages/' },
      to: { path: '^src/' },
    },
    {
      name: 'service-imports-the-package',
      severity: 'error',
      comment: 'The service uses the library as an adopter does: by its name, through its exports.',
      from: { path: '^src/' },
      to: {
        path: '^packages/',
        pathNot: `${LIBRARY}((testing|metrics|tracing|page)/)?index\\.ts$`,
      },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      comment: 'Production code has no test knowledge.',
      from: { path: `^src/|${LIBRARY}`, pathNot: SPEC },
      to: { path: `^test/|^packages/[^/]+/test/|${SPEC}` },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'A production install leaves development packages out.',
      from: { path: `^src/|${LIBRARY}`, pathNot: SPEC },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'npm-optional', 'npm-peer', 'type-only'],
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
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
