/**
 * The commands that a Redis carries out on some keys, in scripts too. Statistics of the server would
 * count heartbeats with them, which run nearly every command there is, at any time, on other keys.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { eventually } from './eventually.js';

/** The name in lower case, and the arguments. */
export type SeenCommand = readonly [name: string, ...words: string[]];

export class RedisMonitor {
  #commands: SeenCommand[] = [];
  #lastEcho = '';

  private constructor(
    private readonly admin: Redis,
    private readonly monitor: Redis,
    private readonly pattern: RegExp,
  ) {
    monitor.on('monitor', (_time: string, words: readonly string[]) => this.#saw(words));
  }

  /** Watches from now on, all commands with an argument that matches the pattern. */
  static async start(admin: Redis, pattern: RegExp): Promise<RedisMonitor> {
    return new RedisMonitor(admin, await admin.monitor(), pattern);
  }

  /** Every command that has been carried out since the start, oldest first. */
  async commands(): Promise<readonly SeenCommand[]> {
    const word = randomUUID();
    await this.admin.echo(word);
    await eventually(() => {
      if (this.#lastEcho !== word) throw new Error('The monitor of Redis is late');
    });
    return [...this.#commands];
  }

  /** The names alone. */
  async names(): Promise<readonly string[]> {
    return (await this.commands()).map(([name]) => name);
  }

  stop(): void {
    this.monitor.disconnect();
  }

  #saw([name = '', ...words]: readonly string[]): void {
    if (words.some((word) => this.pattern.test(word))) {
      this.#commands.push([name.toLowerCase(), ...words]);
    }
    if (name.toLowerCase() === 'echo') this.#lastEcho = words[0] ?? '';
  }
}
