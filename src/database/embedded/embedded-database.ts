import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve as absolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../config/environment.js';
import { DatabaseError } from '../database.error.js';

/** The PostgreSQL server of the service, run by a separate launcher process. */
export interface EmbeddedDatabase {
  /** The URL to connect to. Secret. */
  readonly url: string;
  /** Absolute path of the data. */
  readonly dataDirectory: string;
  /** Resolves with the reason if the database ends without a call of `stop`. */
  readonly lost: Promise<string>;
  /** Stops the database cleanly; resolves when it has ended. */
  stop(): Promise<void>;
}

/** Messages of the launcher to the service. Closing their channel asks the launcher to stop. */
export type LauncherMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready'; readonly url: string; readonly dataDirectory: string }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Starts the database of a data folder; the first start creates it.
 * @throws DatabaseError
 */
export function startEmbeddedDatabase(
  folder: string,
  progress: (line: string) => void,
): Promise<EmbeddedDatabase> {
  const program = fileURLToPath(new URL('./launcher.js', import.meta.url));
  const launcher = fork(program, [absolute(folder), String(process.pid)], {
    // Detached from the Ctrl-C of the terminal.
    detached: true,
    execArgv: [],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let reason = 'The launcher of the embedded PostgreSQL has ended unexpectedly.';
  let isStopping = false;
  const exited = once(launcher, 'exit');
  const lost = new Promise<string>((resolve) => {
    launcher.once('exit', () => isStopping || resolve(reason));
  });
  const stop = async (): Promise<void> => {
    isStopping = true;
    if (launcher.connected) launcher.disconnect();
    await exited;
  };
  return new Promise((resolve, reject) => {
    launcher.on('message', (message: LauncherMessage) => {
      if (message.kind === 'progress') progress(message.line);
      else if (message.kind === 'failed') reason = message.message;
      else resolve({ url: message.url, dataDirectory: message.dataDirectory, lost, stop });
    });
    exited.then(() => reject(new DatabaseError(reason)), reject);
  });
}
