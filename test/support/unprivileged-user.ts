import { readFileSync } from 'node:fs';

/** Options of `child_process.spawn` to run a program as another user. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user `nobody` when this process is root, whom PostgreSQL refuses; `undefined` for ordinary
 * users, who run it themselves. Throws when the machine has no such user.
 */
export function unprivilegedUser(): ProcessUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error(
      'PostgreSQL does not run as root: add a user named nobody, or use another user',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}
