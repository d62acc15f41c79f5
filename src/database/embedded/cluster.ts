/** Makes the data directory of a new server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { childEnvironment } from '../../config/environment.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';
import { SERVER_USER } from './server-process.js';

export interface NewCluster {
  /** The program `initdb`. */
  readonly program: string;
  readonly account: ServerAccount | undefined;
  readonly dataDirectory: string;
  readonly password: string;
}

/**
 * Makes the data directory; it appears under its name only when it is complete, so that an
 * interrupted attempt leaves nothing that looks like data.
 * @throws EmbeddedDatabaseError with what `initdb` said.
 */
export async function createCluster(cluster: NewCluster): Promise<void> {
  const draft = `${cluster.dataDirectory}.new`;
  const passwordFile = `${cluster.dataDirectory}.password`;
  rmSync(draft, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${cluster.password}\n`, { mode: 0o600 });
  if (cluster.account) {
    for (const path of [draft, passwordFile]) {
      chownSync(path, cluster.account.uid, cluster.account.gid);
    }
  }
  try {
    await runInitdb(cluster, draft, passwordFile);
    renameSync(draft, cluster.dataDirectory);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function runInitdb(
  { program, account }: NewCluster,
  directory: string,
  passwordFile: string,
): Promise<void> {
  const child = spawn(
    program,
    [
      `--pgdata=${directory}`,
      `--username=${SERVER_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts and compares alike on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { ...(account ?? {}), cwd: '/', env: childEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const [, said] = await Promise.all([once(child, 'close'), text(child.stderr)]);
  if (child.exitCode === 0) return;
  throw new EmbeddedDatabaseError(
    `could not make its data directory ${directory} (${said.trim().split('\n').slice(-4).join(' ')})`,
    'See that the disk has room and the folder can be written.',
  );
}
