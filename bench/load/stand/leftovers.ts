import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '../../../test/support/process-tree.js';

/** Folders of runs that were interrupted: their names end with the process id of the run. */
export async function leftovers(folder: string, prefix: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length))))
    .map((name) => join(folder, name));
}
