/** The data of a new server of the tests. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProcessUser } from './unprivileged-user.js';

/** The owner of a new server, who is its superuser. */
export const SUPERUSER = 'postgres';

const run = promisify(execFile);
const PLAIN = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];

export interface NewData {
  /** Where `initdb` is. */
  readonly binaries: string;
  /** Belongs to the user; the data becomes its folder `data`. */
  readonly directory: string;
  /** The user that runs the server; default: the user of this process. */
  readonly user: ProcessUser | undefined;
}

/** No PG* variable and no locale of the machine reaches the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

export async function initialise({ binaries, directory, user }: NewData): Promise<void> {
  const data = join(directory, 'data');
  await run(join(binaries, 'initdb'), ['-D', data, '-U', SUPERUSER, ...PLAIN], {
    cwd: directory,
    env: serverEnvironment(),
    ...user,
  });
}

/** Copies a folder or a file as it is, owner included: for data a quarter of what `initdb` takes. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]);
}
