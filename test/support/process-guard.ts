/**
 * Ends a process that a test started when the test process itself ends, however that ends.
 *
 * The guard is a shell in a separate session that waits for the end of its standard input, which only
 * the test process holds open. It then wakes the process (it may be stopped), kills it and removes
 * its folder.
 */
import { spawn, type ChildProcess } from 'node:child_process';

export interface GuardOptions {
  readonly pid: number;
  /** SIGQUIT lets PostgreSQL end its backends too; SIGKILL for all else. */
  readonly signal: 'KILL' | 'QUIT';
  /** Removed after the kill. */
  readonly directory: string;
}

// The end of a process is waited for, so that it writes nothing into the folder afterwards.
const SCRIPT = `read -r word
[ "$word" = dismiss ] && exit 0
kill -CONT "$1"; kill -"$2" "$1"
tries=0
while kill -0 "$1" && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$1"
rm -rf "$3"`;

export class ProcessGuard {
  readonly #shell: ChildProcess;

  constructor(options: GuardOptions) {
    this.#shell = spawn(
      '/bin/sh',
      ['-c', SCRIPT, 'guard', String(options.pid), options.signal, options.directory],
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
    );
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    // A pipe to a child keeps the event loop alive unless it is unreferenced.
    (this.#shell.stdin as unknown as { unref(): void }).unref();
  }

  /** The process has ended by other means: the guard leaves without touching anything. */
  dismiss(): void {
    this.#shell.stdin?.end('dismiss\n');
  }
}
