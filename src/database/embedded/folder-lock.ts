/** Lets one service at a time use a data folder, and outlives none that was killed. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import { identify, isAlive, type ProcessIdentity } from './process-identity.js';

interface Holder {
  readonly launcher: ProcessIdentity;
  readonly service: ProcessIdentity;
}

const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 50;

/**
 * Takes the lock for this process and the service it works for. A holder whose service is gone is
 * about to stop its database, and is waited for.
 * @returns what gives the lock back.
 * @throws EmbeddedDatabaseError when a running service holds it.
 */
export async function lockFolder(path: string, servicePid: number): Promise<() => void> {
  const mine: Holder = { launcher: identify(process.pid), service: identify(servicePid) };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o644 });
  try {
    const deadlineMs = Date.now() + LONGEST_WAIT_MS;
    while (!claim(draft, path)) {
      const holder = read(path);
      if (holder && isAlive(holder.launcher)) {
        if (isAlive(holder.service) || Date.now() > deadlineMs) throw inUse(holder);
        await pause(RETRY_MS);
      } else if (holder) {
        discard(path, draft);
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => rmSync(path, { force: true });
}

/** A link is made whole or not at all, and never over another. */
function claim(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead holder's lock away; puts back what turns out to be another's fresh lock. */
function discard(path: string, draft: string): void {
  const removed = `${draft}.dead`;
  try {
    renameSync(path, removed);
    const holder = read(removed);
    if (holder && isAlive(holder.launcher)) claim(removed, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(removed, { force: true });
  }
}

function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) {
      const nobody = { pid: 0, began: 'unreadable' };
      return { launcher: nobody, service: nobody };
    }
    throw error;
  }
}

function inUse({ service }: Holder): EmbeddedDatabaseError {
  return new EmbeddedDatabaseError(
    `of this folder is in use by another Tidemark (process ${service.pid})`,
    'Stop that one, start this one in another folder, or set DATABASE_URL so that both share a database.',
  );
}
