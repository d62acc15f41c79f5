import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLineOf } from './command-line.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';

const STOP_TIMEOUT_S = 30;
/** Above every process id of Linux (2^22) and macOS. */
const NO_PROCESS = 4_194_305;

/**
 * Stops a server that outlived its launcher. Only the launcher that holds the lock of the folder may call it.
 * @param programs the folder of the PostgreSQL programs.
 * @throws EmbeddedDatabaseError if the server does not stop.
 */
export function stopLeftoverServer(
  programs: string,
  account: ServerAccount,
  dataDirectory: string,
  progress: (line: string) => void,
): void {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const [pid, ...others] = readFileSync(pidFile, 'utf8').split('\n');
  if (!commandLineOf(Number(pid)).includes(dataDirectory)) {
    // Another program may have the id now, and PostgreSQL would mistake it for the old server and refuse to start. The
    // other lines stay: from them PostgreSQL detects whether processes of the old server still run.
    writeFileSync(pidFile, [NO_PROCESS, ...others].join('\n'));
    return;
  }
  progress(`stopping the PostgreSQL that an earlier start left behind (process ${pid})`);
  for (const mode of ['fast', 'immediate']) {
    const { status } = spawnSync(
      join(programs, 'pg_ctl'),
      ['stop', '-D', dataDirectory, '-m', mode, '-t', String(STOP_TIMEOUT_S)],
      { ...account, cwd: '/', stdio: 'ignore' },
    );
    if (status === 0) return;
  }
  throw new EmbeddedDatabaseError(
    `of an earlier start (process ${pid}) does not stop`,
    'End that process and start again.',
  );
}
