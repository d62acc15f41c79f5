/**
 * Compiles the library, as an ES module and as CommonJS, with its page for browsers, then the service, each into its
 * dist/. A new tree is built aside and takes the place of the old one only when it is complete, so no file of an earlier build is left and a
 * failed build leaves the last good one. With `--if-stale`, only what has changed since its last build.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const library = join(root, 'packages/tidemark');
const onlyIfStale = process.argv.includes('--if-stale');

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The service is compiled against the types of the library, so it is built when either has changed. */
function sourceHash(folders) {
  const hash = createHash('sha256');
  for (const name of ['commonjs', 'page-assets']) {
    hash.update(readFileSync(join(root, `scripts/${name}.mjs`)));
  }
  const settings = folders.flatMap((folder) =>
    ['tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) => join(folder, name)),
  );
  const sources = folders
    .flatMap((folder) => [join(folder, 'src'), join(folder, 'page')])
    .filter((folder) => existsSync(folder))
    .flatMap(sourceFiles);
  for (const file of [...settings.filter((name) => existsSync(name)), ...sources]) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function compiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

/** @returns the exit code of the compiler. */
async function compile(folder, hash) {
  const tsc = compiler();
  if (!tsc) {
    console.error('The TypeScript compiler is not installed: run `npm ci` without --omit=dev.');
    return 1;
  }
  const dist = join(folder, 'dist');
  const fresh = join(folder, `.build-${process.pid}`);
  const startedMs = Date.now();
  try {
    const project = ['-p', join(folder, 'tsconfig.build.json')];
    const args = [tsc, ...project, '--outDir', fresh, '--incremental', 'false'];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: folder });
    if (status !== 0) return status ?? 1;
    mkdirSync(fresh, { recursive: true });
    if (folder === library) await completeLibrary(fresh);
    writeFileSync(join(fresh, '.source-hash'), hash);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  console.error(`Built ${relative(root, dist)}/ in ${seconds} s`);
  return 0;
}

async function completeLibrary(fresh) {
  (await import('./commonjs.mjs')).addCommonJs(fresh);
  // After it: what browsers get has no CommonJS form.
  const { buildPage } = await import('./page-assets.mjs');
  const [sources, to] = [join(library, 'page'), join(fresh, 'page')];
  await buildPage({ sources, to, packages: join(root, 'node_modules') });
}

async function build(folder, folders) {
  const hash = sourceHash(folders);
  const hashFile = join(folder, 'dist/.source-hash');
  const isFresh = existsSync(hashFile) && readFileSync(hashFile, 'utf8') === hash;
  return onlyIfStale && isFresh ? 0 : compile(folder, hash);
}

const isInstalledBuild = !existsSync(join(root, 'src')) && existsSync(join(root, 'dist/main.js'));
if (onlyIfStale && isInstalledBuild) process.exit(0);
process.exitCode = (await build(library, [library])) || (await build(root, [root, library]));
