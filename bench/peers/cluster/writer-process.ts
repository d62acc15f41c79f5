/** The parent's side of writer.child.ts. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChangeName } from '../fixtures/changes.js';
import type { QueryName } from '../fixtures/queries.js';
import type { WriterStart, WriterWrite } from './writer.child.js';

const CHILD = fileURLToPath(new URL('writer.child.ts', import.meta.url));
const REGISTER = new URL('../../register.mjs', import.meta.url).href;
const SKEWED_CLOCK = new URL('skewed-clock.mjs', import.meta.url).href;

export interface WriterOptions extends Omit<WriterStart, 'kind'> {
  /** By how much its clock is behind, in milliseconds. */
  readonly clockBehindMs: number;
}

export class WriterProcess {
  private constructor(private readonly child: ChildProcess) {}

  static async start({ clockBehindMs, ...start }: WriterOptions): Promise<WriterProcess> {
    const child = fork(CHILD, {
      execArgv: ['--import', REGISTER, '--import', SKEWED_CLOCK],
      env: { ...process.env, BENCH_CLOCK_BEHIND_MS: String(clockBehindMs) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const writer = new WriterProcess(child);
    await writer.#ask({ kind: 'start', ...start });
    return writer;
  }

  /** Carries out the change, then makes the call that the system's documentation asks for. */
  write(change: ChangeName, invalidated: readonly QueryName[]): Promise<void> {
    return this.#ask({ kind: 'write', change, invalidated });
  }

  /** Carries out the change and waits until the process has been killed in the middle of it. */
  async dieWriting(change: ChangeName, invalidated: readonly QueryName[]): Promise<void> {
    const ended = once(this.child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const answered = once(this.child, 'message').then(
      ([answer]) => [null, String(answer)] as const,
    );
    this.child.send({ kind: 'write', change, invalidated } satisfies WriterWrite);
    const [, signal] = await Promise.race([ended, answered]);
    if (signal !== 'SIGKILL') throw new Error(`The writer was not killed at its COMMIT: ${signal}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async #ask(message: WriterStart | WriterWrite): Promise<void> {
    const answered = once(this.child, 'message') as Promise<[string]>;
    const ended = once(this.child, 'exit').then((): [string] => ['it ended']);
    this.child.send(message);
    const [answer] = await Promise.race([answered, ended]);
    if (answer !== 'done') throw new Error(`The writer failed: ${answer}`);
  }
}
