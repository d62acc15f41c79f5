/** Deals with a server that outlived its launcher, or with the traces of one that did not. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import { commandLineOf, exists } from './process-identity.js';

const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** Above every process id that Linux (2^22) and macOS give. */
const NO_PROCESS = 4_194_305;

/**
 * Stops a server that still runs on the data directory. Only the launcher that holds the folder's
 * lock may call it.
 * @throws EmbeddedDatabaseError when the server does not stop.
 */
export async function stopLeftoverServer(
  dataDirectory: string,
  progress: (line: string) => void,
): Promise<void> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !exists(pid)) return;
  if (!commandLineOf(pid).includes(dataDirectory)) {
    // Another program has the id now. PostgreSQL would take it for the old server and refuse to
    // start. The other lines stay: by them it finds out whether old server processes still run.
    writeFileSync(pidFile, [String(NO_PROCESS), ...lines.slice(1)].join('\n'));
    return;
  }
  progress(`stopping the PostgreSQL that an earlier start left behind (process ${pid})`);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(pid, signal);
    if (await isGone(pid)) return;
  }
  throw new EmbeddedDatabaseError(
    `of an earlier start (process ${pid}) does not stop`,
    'End that process and start again.',
  );
}

async function isGone(pid: number): Promise<boolean> {
  const deadlineMs = Date.now() + STOP_TIMEOUT_MS;
  while (exists(pid)) {
    if (Date.now() > deadlineMs) return false;
    await pause(POLL_MS);
  }
  return true;
}
