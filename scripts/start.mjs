/**
 * `npm start`: builds when a source has changed, then runs the service in this very process, so
 * that the signals npm passes on reach it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--if-stale'], {
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

await import(pathToFileURL(join(root, 'dist/main.js')).href);
