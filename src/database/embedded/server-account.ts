/** The user that PostgreSQL runs as, since it refuses to run as root, and the folders that this user can enter. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedDatabaseError, USE_ANOTHER_DATABASE } from './embedded.errors.js';

/** Options of a child process; empty: the user of this process. */
export interface ServerAccount {
  readonly uid?: number;
  readonly gid?: number;
}

/** For root: other users cannot enter the folders of root. */
export const SYSTEM_FOLDER = '/var/lib/tidemark';
const USER = 'postgres';

/** Creates the data folder of a project with minimal access rights. */
export function makeDataFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The user of the server can pass through the folder but not list it.
  if (isRoot() && statSync(folder).uid === 0) chmodSync(folder, 0o711);
}

/**
 * The folder for the files of the server, and the account to run it as. Root uses the owner of the data, or the system
 * user `postgres`, which is created if missing. If that user cannot enter the folder, the files are in a system folder.
 * @throws EmbeddedDatabaseError if root cannot create the user.
 */
export function serverPlace(
  folder: string,
  progress: (line: string) => void,
): { readonly home: string; readonly account: ServerAccount } {
  if (!isRoot()) return { home: folder, account: {} };
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const elsewhere = join(SYSTEM_FOLDER, name);
  const used = [folder, elsewhere].find((home) => existsSync(join(home, 'postgres')));
  const owner = statSync(used === undefined ? folder : join(used, 'postgres'));
  const account = owner.uid === 0 ? (findUser() ?? addUser(progress)) : idsOf(owner);
  if (used !== undefined) return { home: used, account };
  return { home: canEnter(folder, account) ? folder : makeOpenFolder(elsewhere), account };
}

/** Creates a folder that every user can enter, whatever the umask. */
export function makeOpenFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  for (const made of [SYSTEM_FOLDER, path]) chmodSync(made, 0o755);
  return path;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function idsOf({ uid, gid }: Required<ServerAccount>): ServerAccount {
  return { uid, gid };
}

function findUser(): ServerAccount | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, USER], { encoding: 'utf8' });
    return status === 0 ? Number(stdout.trim()) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function addUser(progress: (line: string) => void): ServerAccount {
  progress(`adding the system user "${USER}": PostgreSQL does not run as root`);
  const { stderr, error } = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', USER],
    { encoding: 'utf8' },
  );
  const account = findUser();
  if (account) return account;
  throw new EmbeddedDatabaseError(
    `cannot run as root, and the user "${USER}" could not be added (${error?.message ?? stderr.trim()})`,
    `Start Tidemark as an ordinary user. ${USE_ANOTHER_DATABASE}`,
  );
}

function canEnter(folder: string, account: ServerAccount): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], {
    ...account,
    cwd: '/',
    stdio: 'ignore',
  });
  return status === 0;
}
