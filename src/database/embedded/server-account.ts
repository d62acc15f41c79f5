/** Which user PostgreSQL runs as: it refuses to run as root. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { EmbeddedDatabaseError, USE_ANOTHER_DATABASE } from './embedded.errors.js';

export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

const ACCOUNT = 'postgres';

/**
 * The account to run the server as; `undefined`: the user of this process. Root uses the owner of
 * the data, or the system user `postgres`, which is made where it is missing.
 * @throws EmbeddedDatabaseError where root cannot make that user.
 */
export function serverAccount(
  dataDirectory: string,
  progress: (line: string) => void,
): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return ownerOf(dataDirectory) ?? lookUp() ?? create(progress);
}

function ownerOf(directory: string): ServerAccount | undefined {
  const found = statSync(directory, { throwIfNoEntry: false });
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}

function lookUp(): ServerAccount | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, ACCOUNT], { encoding: 'utf8' });
    return status === 0 ? Number(stdout.trim()) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function create(progress: (line: string) => void): ServerAccount {
  progress(`adding the system user "${ACCOUNT}": PostgreSQL does not run as root`);
  const { status, stderr, error } = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT],
    { encoding: 'utf8' },
  );
  const account = status === 0 ? lookUp() : undefined;
  if (account) return account;
  throw new EmbeddedDatabaseError(
    `cannot run as root, and the user "${ACCOUNT}" could not be added (${error?.message ?? stderr.trim()})`,
    `Start Tidemark as an ordinary user. ${USE_ANOTHER_DATABASE}`,
  );
}
