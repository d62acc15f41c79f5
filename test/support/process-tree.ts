import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Parent process id by process id, of all processes of the machine. */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  if (!existsSync('/proc/self/stat')) {
    for (const line of execFileSync('ps', ['-Ao', 'pid=,ppid='], { encoding: 'utf8' }).split(
      '\n',
    )) {
      const [pid, parent] = line.trim().split(/\s+/);
      if (pid && parent) found.set(Number(pid), Number(parent));
    }
    return found;
  }
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // `pid (name) state parent ...`; the name may hold spaces and parentheses.
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      found.set(Number(name), Number(parent));
    } catch {
      // It ended while the list was read.
    }
  }
  return found;
}

/** Process ids of the direct children of a process. */
export function childrenOf(pid: number): number[] {
  return [...parents()].filter(([, parent]) => parent === pid).map(([child]) => child);
}

/** Sends a signal; a process that has ended already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether the process exists and has not ended; one that waits to be reaped has ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
