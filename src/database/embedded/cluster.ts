import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from '../../config/environment.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';
import { SERVER_USER } from './server-process.js';

export interface NewCluster {
  /** The folder of the PostgreSQL programs. */
  readonly programs: string;
  readonly account: ServerAccount;
  readonly dataDirectory: string;
  readonly password: string;
}

/**
 * Creates the data directory. It gets its final name only when it is complete, so that an interrupted attempt leaves
 * nothing that resembles a data directory.
 * @throws EmbeddedDatabaseError with the message of `initdb`.
 */
export function createCluster({ programs, account, dataDirectory, password }: NewCluster): void {
  const draft = `${dataDirectory}.new`;
  const passwordFile = `${dataDirectory}.password`;
  for (const path of [draft, passwordFile]) rmSync(path, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const { uid, gid } = account;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [draft, passwordFile]) chownSync(path, uid, gid);
  }
  const { status, stderr, error } = spawnSync(
    join(programs, 'initdb'),
    [
      `--pgdata=${draft}`,
      `--username=${SERVER_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts and compares equally on every machine, whatever locales are installed.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { ...account, cwd: '/', env: childEnvironment(), encoding: 'utf8' },
  );
  rmSync(passwordFile, { force: true });
  if (status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n').slice(-4).join(' ');
    throw new EmbeddedDatabaseError(
      `could not make its data directory ${draft} (${reason})`,
      'See that the disk has room and the folder can be written.',
    );
  }
  renameSync(draft, dataDirectory);
}
