/** Allows one service at a time to use a data folder. The lock of a killed process does not count. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandLineOf } from './command-line.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';

/** Process ids. */
interface Holder {
  readonly launcher: number;
  readonly service: number;
}

const MAX_WAIT_MS = 60_000;
const RETRY_MS = 50;

/**
 * Takes the lock for this launcher and its service. If the service of a holder has ended, the holder is about to stop
 * its database: the call waits for it.
 * @returns a function that releases the lock.
 * @throws EmbeddedDatabaseError if a running service holds it.
 */
export async function lockFolder(folder: string, service: number): Promise<() => void> {
  const path = join(folder, 'lock');
  const draft = `${path}.${process.pid}`;
  const isHeld = (holder: Holder | undefined): holder is Holder =>
    holder !== undefined &&
    // In a container a launcher may get the id of the previous one.
    holder.launcher !== process.pid &&
    commandLineOf(holder.launcher).includes(`launcher.js ${folder} `);
  writeFileSync(draft, JSON.stringify({ launcher: process.pid, service }), { mode: 0o644 });
  try {
    const deadlineMs = Date.now() + MAX_WAIT_MS;
    while (!claim(draft, path)) {
      const holder = read(path);
      if (isHeld(holder)) {
        if (commandLineOf(holder.service) !== '' || Date.now() > deadlineMs) throw inUse(holder);
        await pause(RETRY_MS);
      } else {
        const removed = `${draft}.dead`;
        moveAway(path, removed);
        // Another process may have replaced the dead lock in between.
        if (isHeld(read(removed))) claim(removed, path);
        rmSync(removed, { force: true });
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => rmSync(path, { force: true });
}

/** Creating a link is atomic and never replaces a file. */
function claim(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function moveAway(path: string, removed: string): void {
  try {
    renameSync(path, removed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** `undefined`: there is no lock, or it is damaged. */
function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function inUse({ service }: Holder): EmbeddedDatabaseError {
  return new EmbeddedDatabaseError(
    `of this folder is in use by another Tidemark (process ${service})`,
    'Stop that one, start this one in another folder, or set DATABASE_URL so that both share a database.',
  );
}
