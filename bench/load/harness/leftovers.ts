import { basename } from 'node:path';
import { isRunning } from '../../../test/support/process-tree.js';

/** Whether a folder is of a run that was interrupted: its name ends with the process id of the run. */
export function isLeftover(folder: string, prefix: string): boolean {
  const name = basename(folder);
  return name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length)));
}
