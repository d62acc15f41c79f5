import type { Redis } from 'ioredis';
import { RedisCommandError } from '../../redis/redis.errors.js';
import type { Answer } from '../../redis/redis-connection.options.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import type { Script } from './scripts/script.js';

/**
 * `urgent`: a connection that is down is tried once more before the script fails, and a script whose connection
 * breaks is run once more, so that it may run twice.
 */
export type Urgency = 'urgent' | 'ordinary';

/** Arguments that depend on the server that will run the script, or not. */
export type ScriptArguments = readonly string[] | ((node: string) => readonly string[]);

type Command = (client: Redis, node: string) => Promise<unknown>;

/** Runs scripts by their SHA-1, and by their source where Redis does not know them (any more). */
export class ScriptRunner {
  constructor(private readonly connection: RedisConnection) {}

  /** Rejects as `RedisConnection.send` does, with errors that name the script. */
  async run(
    script: Script,
    keys: readonly string[],
    args: ScriptArguments,
    urgency: Urgency = 'ordinary',
  ): Promise<Answer<unknown>> {
    const argsFor = typeof args === 'function' ? args : (): readonly string[] => args;
    const name = `script ${script.name}`;
    const send = (command: Command): Promise<Answer<unknown>> =>
      urgency === 'urgent'
        ? this.connection.sendUrgently(name, command)
        : this.connection.send(name, command);
    try {
      return await send((client, node) =>
        client.evalsha(script.sha1, keys.length, ...keys, ...argsFor(node)),
      );
    } catch (error) {
      if (!(error instanceof RedisCommandError) || error.replyCode !== 'NOSCRIPT') throw error;
    }
    return send((client, node) =>
      client.eval(script.source, keys.length, ...keys, ...argsFor(node)),
    );
  }
}
