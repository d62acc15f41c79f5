import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../config/environment.js';
import { DatabaseError } from '../database.error.js';
import { STOP, type LauncherMessage } from './launcher.messages.js';

/** The service's own PostgreSQL, run by a separate launcher process. */
export class EmbeddedDatabase {
  /** Settles with what happened when the database ends without having been asked. */
  readonly lost: Promise<string>;
  #isStopping = false;

  private constructor(
    private readonly launcher: ChildProcess,
    private readonly exited: Promise<unknown>,
    private readonly notice: () => string,
    /** Where to connect. Secret. */
    readonly url: string,
    /** Absolute path of the data. */
    readonly dataDirectory: string,
  ) {
    this.lost = new Promise((resolve) => {
      void exited.then(() => {
        if (!this.#isStopping) resolve(this.notice());
      });
    });
  }

  /**
   * Starts the database of a data folder, and makes it at the first start.
   * @throws DatabaseError
   */
  static async start(folder: string, progress: (line: string) => void): Promise<EmbeddedDatabase> {
    const launcher = fork(
      fileURLToPath(new URL('./launcher.js', import.meta.url)),
      [folder, String(process.pid)],
      {
        // Out of reach of the terminal's Ctrl-C.
        detached: true,
        execArgv: [],
        env: childEnvironment(),
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    );
    const exited = once(launcher, 'exit');
    let notice = 'The launcher of the embedded PostgreSQL has ended unexpectedly.';
    return new Promise((resolve, reject) => {
      launcher.on('message', (message: LauncherMessage) => {
        if (message.kind === 'progress') progress(message.line);
        if (message.kind === 'failed') notice = message.message;
        if (message.kind === 'ready') {
          const { url, dataDirectory } = message;
          resolve(new EmbeddedDatabase(launcher, exited, () => notice, url, dataDirectory));
        }
      });
      exited.then(
        () => reject(new DatabaseError(notice)),
        (error: unknown) => reject(error as Error),
      );
    });
  }

  /** Stops the database cleanly; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.launcher.connected) this.launcher.send(STOP, () => undefined);
    await this.exited;
  }
}
