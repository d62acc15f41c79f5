import { transformFile } from '@swc/core';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '../../../test/support/process-tree.js';

const ROOT = join(import.meta.dirname, '../../..');
const SOURCES = join(import.meta.dirname, '../applications');
/** As deep as the sources, for the paths in them; one for each run, since several may go on. */
const PREFIX = 'applications-';
const DIST = join(ROOT, 'bench/dist');
const COMPILED = join(DIST, PREFIX + String(process.pid));

/**
 * Compiles the applications, so that contenders are plain Node programs as the built service is: a
 * compiler in their process would count in their memory and their start.
 */
export async function compileApplications(): Promise<void> {
  await removeLeftovers();
  await mkdir(COMPILED, { recursive: true });
  for (const file of await readdir(SOURCES)) {
    const { code } = await transformFile(join(SOURCES, file), { root: ROOT, sourceMaps: false });
    await writeFile(join(COMPILED, file.replace(/\.ts$/, '.js')), code);
  }
}

/** Path of a compiled application. */
export function applicationProgram(name: string): string {
  return join(COMPILED, `${name}.js`);
}

export function removeApplications(): Promise<void> {
  return rm(COMPILED, { recursive: true, force: true });
}

/** Of runs that were interrupted. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(DIST).catch(() => [])) {
    const pid = Number(name.slice(PREFIX.length));
    if (name.startsWith(PREFIX) && !isRunning(pid)) {
      await rm(join(DIST, name), { recursive: true, force: true });
    }
  }
}
