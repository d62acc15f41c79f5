/**
 * `npm run package`: packs the library and checks the tarball as an adopter gets it. publint and
 * @arethetypeswrong/cli read it; an empty application installs it with its peers, imports every public
 * name from an ES module and from CommonJS, and compiles against its types under `strict`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const library = join(root, 'packages/tidemark');
const manifest = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'tidemark-package-'));
const application = join(folder, 'application');

function run(program, args, cwd = root) {
  const { status, stdout } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write(stdout);
    throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
  }
  return stdout;
}

/** Browsers get these. */
const PAGE = ['index.html', 'page.css', 'page.js'].map((name) => `dist/page/assets/${name}`);
const MAX_PAGE_BYTES = 60 * 1024;

/** The policy of the page allows nothing inline, and nothing of other hosts. */
const FORBIDDEN = {
  'an inline script': /<script(?![^>]*\ssrc=)[^>]*>/i,
  'an inline style': /<style[\s>]|<[^>]+\sstyle=/i,
  'an inline handler': /<[^>]+\son[a-z]+=/i,
};
/** Names of XML, which nothing asks for. */
const NAMESPACE =
  /https?:\/\/www\.w3\.org\/(2000\/svg|1999\/xlink|1999\/xhtml|1998\/Math\/MathML|XML\/1998\/namespace)/g;

/** Checks the built page that the tarball holds. */
function checkPage() {
  const texts = PAGE.map((path) => readFileSync(join(library, path), 'utf8'));
  const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
  if (bytes > MAX_PAGE_BYTES) {
    throw new Error(`The page has ${bytes} bytes gzipped: at most ${MAX_PAGE_BYTES} are allowed`);
  }
  const [document] = texts;
  for (const [name, pattern] of Object.entries(FORBIDDEN)) {
    if (pattern.test(document)) throw new Error(`${PAGE[0]} has ${name}`);
  }
  for (const [at, text] of texts.entries()) {
    const [address] =
      /(https?:)?\/\/[a-z0-9-]+\.[a-z]{2,}/i.exec(text.replace(NAMESPACE, '')) ?? [];
    if (address) throw new Error(`${PAGE[at]} names another host: ${address}`);
  }
  console.log(`the page has ${(bytes / 1024).toFixed(1)} KB gzipped`);
}

/** @returns the path of the tarball. Throws when it holds what does not belong there. */
function pack() {
  const [packed] = JSON.parse(
    run('npm', ['pack', '-w', manifest.name, '--json', '--pack-destination', folder]),
  );
  const paths = packed.files.map(({ path }) => path);
  const allowed =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/cjs\/package\.json|dist\/.*\.(js|d\.ts)|dist\/page\/(licences\.txt|assets\/(index\.html|page\.css)))$/;
  const foreign = paths.filter((path) => !allowed.test(path) || path.includes('.spec.'));
  const required = ['README.md', 'LICENSE', 'dist/page/licences.txt', ...PAGE];
  const missing = required.filter((path) => !paths.includes(path));
  if (foreign.length > 0)
    throw new Error(`The tarball holds ${foreign.length} foreign files, as ${foreign[0]}`);
  if (missing.length > 0) throw new Error(`The tarball lacks ${missing.join(', ')}`);
  console.log(`packed ${paths.length} files, ${Math.round(packed.size / 1024)} KB`);
  return join(folder, packed.filename);
}

/** The entries that need an optional peer. */
const OPTIONAL = [`${manifest.name}/metrics`, `${manifest.name}/tracing`];
const ENTRIES = Object.keys(manifest.exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => manifest.name + path.slice(1));

/** Node loads one instance for import and require(); the CommonJS files have the same names. */
const instancesOf = (entries) => `import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
const require = createRequire(import.meta.url);
const { exports } = require('${manifest.name}/package.json');
for (const name of ${JSON.stringify(entries)}) {
  const imported = await import(name);
  if (require(name) !== imported) throw new Error(\`import and require() give two instances of \${name}\`);
  const { default: file } = exports['.' + name.slice('${manifest.name}'.length)].require;
  const names = Object.keys(require('./node_modules/${manifest.name}/' + file)).sort();
  if (!isDeepStrictEqual(names, Object.keys(imported).sort())) throw new Error(\`\${file} has other names\`);
}`;

/** The empty application: each program prints how many names it gets from each of the entries. */
function programsOf(entries) {
  const importing = (load) =>
    entries
      .map((name) => `console.log('${name}', Object.keys(${load}('${name}')).length);`)
      .join('\n');
  const types = entries.map((name, at) => `export * as entry${at} from '${name}';`).join('\n');
  return {
    'instances.mjs': instancesOf(entries),
    'module.mjs': importing('await import'),
    'common.cjs': importing('require'),
    'types.mts': types,
    'types.cts': types,
  };
}

const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  noEmit: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ['node'],
};

/** Installs the package with the peers into the application. */
function install(tarball, peers) {
  const versionOf = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  const installed = [...peers, '@types/node', '@types/pg'];
  const dependencies = Object.fromEntries(installed.map((name) => [name, versionOf(name)]));
  const files = {
    'package.json': JSON.stringify({
      private: true,
      dependencies: { ...dependencies, [manifest.name]: `file:${tarball}` },
    }),
    'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS }),
  };
  mkdirSync(application, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(application, name), text);
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], application);
}

function checkEntries(entries, tsc) {
  for (const [name, text] of Object.entries(programsOf(entries))) {
    writeFileSync(join(application, name), text);
  }
  console.log(run(process.execPath, ['module.mjs'], application).trim());
  console.log(run(process.execPath, ['common.cjs'], application).trim());
  run(process.execPath, ['instances.mjs'], application);
  checkTypes(tsc);
}

/** Errors in the declarations of other packages are theirs; TypeORM's, for example, name drivers that are not installed. */
function checkTypes(tsc) {
  const { stdout } = spawnSync(tsc, ['-p', 'tsconfig.json'], {
    cwd: application,
    encoding: 'utf8',
  });
  const ours = stdout
    .split('\n')
    .filter((line) => /error TS/.test(line))
    .filter((line) => !line.startsWith('node_modules/') || line.includes(`/${manifest.name}/`));
  if (ours.length > 0)
    throw new Error(`The types of the package do not compile:\n${ours.join('\n')}`);
}

try {
  const tarball = pack();
  checkPage();
  const bin = (name) => join(root, 'node_modules/.bin', name);
  console.log(run(bin('publint'), ['run', tarball, '--strict']).trim());
  run(bin('attw'), [tarball]);
  const peers = Object.keys(manifest.peerDependencies);
  const required = peers.filter((name) => !manifest.peerDependenciesMeta[name]?.optional);
  install(tarball, required);
  checkEntries(
    ENTRIES.filter((entry) => !OPTIONAL.includes(entry)),
    bin('tsc'),
  );
  install(tarball, peers);
  checkEntries(OPTIONAL, bin('tsc'));
  console.log(
    'an empty application installs, imports and compiles it, without and with optional peers',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
