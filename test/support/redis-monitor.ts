/**
 * Records the commands that a Redis carries out on some keys, in scripts too. The server's statistics would also count
 * heartbeats, which run nearly every command at any time on other keys.
 *
 * It uses a separate socket: ioredis takes bytes in the same packet as the OK of MONITOR for the answer to another
 * command.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Redis } from 'ioredis';
import { eventually } from './eventually.js';

/** The name in lower case, and the arguments. */
export type SeenCommand = readonly [name: string, ...words: string[]];

/** As Redis writes the words of a command: in quotes, with backslashes. */
const WORD = /"((?:[^"\\]|\\.)*)"/g;

export class RedisMonitor {
  readonly #commands: SeenCommand[] = [];
  #lastEcho = '';

  private constructor(
    private readonly admin: Redis,
    private readonly socket: Socket,
    private readonly pattern: RegExp,
  ) {}

  /** Watches from now on, all commands with an argument that matches the pattern. */
  static async start(admin: Redis, pattern: RegExp): Promise<RedisMonitor> {
    const { host = '127.0.0.1', port = 6379 } = admin.options;
    const socket = connect(port, host);
    await once(socket, 'connect');
    const monitor = new RedisMonitor(admin, socket, pattern);
    const lines = createInterface(socket);
    socket.write('MONITOR\r\n');
    await once(lines, 'line');
    lines.on('line', (line) => monitor.#saw([...line.matchAll(WORD)].map(([, word = '']) => word)));
    return monitor;
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
    this.socket.destroy();
  }

  #saw([name = '', ...words]: readonly string[]): void {
    if (words.some((word) => this.pattern.test(word))) {
      this.#commands.push([name.toLowerCase(), ...words]);
    }
    if (name.toLowerCase() === 'echo') this.#lastEcho = words[0] ?? '';
  }
}
