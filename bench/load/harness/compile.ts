import { transformFile } from '@swc/core';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftover } from './leftovers.js';

/** The folder of this commit. */
export const ROOT = join(import.meta.dirname, '../../..');
const SOURCES = join(import.meta.dirname, '../applications');
/** As deep as the sources, for the paths in them; one for each run, since several may go on. */
const PREFIX = 'applications-';

/**
 * Compiles the applications, so that contenders are plain Node programs as the built service is: a
 * compiler in their process would count in their memory and their start.
 *
 * @param checkout the folder of a commit; the applications of this one are put there, to use its build
 */
export async function compileApplications(checkout = ROOT): Promise<void> {
  await removeLeftovers(join(checkout, 'bench/dist'));
  const folder = compiledIn(checkout);
  await mkdir(folder, { recursive: true });
  for (const file of await readdir(SOURCES)) {
    const { code } = await transformFile(join(SOURCES, file), { root: ROOT, sourceMaps: false });
    await writeFile(join(folder, file.replace(/\.ts$/, '.js')), code);
  }
}

/** Path of a compiled application. */
export function applicationProgram(name: string, checkout: string): string {
  return join(compiledIn(checkout), `${name}.js`);
}

export function removeApplications(): Promise<void> {
  return rm(compiledIn(ROOT), { recursive: true, force: true });
}

async function removeLeftovers(dist: string): Promise<void> {
  for (const name of await readdir(dist).catch(() => [])) {
    if (isLeftover(name, PREFIX)) await rm(join(dist, name), { recursive: true, force: true });
  }
}

function compiledIn(checkout: string): string {
  return join(checkout, 'bench/dist', PREFIX + String(process.pid));
}
