/**
 * Compiles src/ into dist/. The new tree is built aside and takes the place of the old one only
 * when it is complete, so no file of an earlier build is left and a failed build leaves the last
 * good one. With `--if-stale`, only when a source has changed since the last build.
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
const dist = join(root, 'dist');
const hashFile = join(dist, '.source-hash');

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sourceHash() {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json'];
  for (const file of [
    ...settings.map((name) => join(root, name)),
    ...sourceFiles(join(root, 'src')),
  ]) {
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

function build(hash) {
  const tsc = compiler();
  if (!tsc) {
    console.error('The TypeScript compiler is not installed: run `npm ci` without --omit=dev.');
    return 1;
  }
  const fresh = join(root, `.build-${process.pid}`);
  const startedMs = Date.now();
  try {
    const args = [
      tsc,
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      fresh,
      '--incremental',
      'false',
    ];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root });
    if (status !== 0) return status ?? 1;
    mkdirSync(fresh, { recursive: true });
    writeFileSync(join(fresh, '.source-hash'), hash);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  console.error(`Built dist/ in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
  return 0;
}

const onlyIfStale = process.argv.includes('--if-stale');
const isInstalledBuild = !existsSync(join(root, 'src')) && existsSync(join(dist, 'main.js'));
if (onlyIfStale && isInstalledBuild) process.exit(0);

const hash = sourceHash();
const isFresh = existsSync(hashFile) && readFileSync(hashFile, 'utf8') === hash;
process.exitCode = onlyIfStale && isFresh ? 0 : build(hash);
