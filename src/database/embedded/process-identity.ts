/** Tells whether a process that was noted down earlier still runs, although ids are used again. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** When the process began, as the system tells it; empty where it does not. */
  readonly began: string;
}

export function identify(pid: number): ProcessIdentity {
  return { pid, began: beginningOf(pid) };
}

export function isAlive({ pid, began }: ProcessIdentity): boolean {
  return exists(pid) && (began === '' || beginningOf(pid) === began);
}

/** Whether any process, of whatever user, has the id. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process; empty where it cannot be told. */
export function commandLineOf(pid: number): string {
  const fromSystem = readText(`/proc/${pid}/cmdline`);
  if (fromSystem !== undefined) return fromSystem.replaceAll('\0', ' ');
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
}

function beginningOf(pid: number): string {
  // The command in parentheses may hold any character; the fields after it are numbers.
  const fields = readText(`/proc/${pid}/stat`)?.split(')').at(-1)?.trim().split(' ');
  const ticksSinceBoot = fields?.[19];
  const state = fields?.[0];
  if (ticksSinceBoot === undefined || state === 'Z') return '';
  return `${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${ticksSinceBoot}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
