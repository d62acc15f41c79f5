import { RedisCommandError } from '../../redis/redis.errors.js';
import type { Answer, RedisConnection } from '../../redis/redis-connection.js';
import type { Script } from './scripts/script.js';

/** Arguments that depend on the server that will run the script, or not. */
export type ScriptArguments = readonly string[] | ((node: string) => readonly string[]);

/** Runs scripts by their SHA-1, and by their source where Redis does not know them (any more). */
export class ScriptRunner {
  constructor(private readonly connection: RedisConnection) {}

  /** Rejects as `RedisConnection.send` does, with errors that name the script. */
  async run(
    script: Script,
    keys: readonly string[],
    args: ScriptArguments,
  ): Promise<Answer<unknown>> {
    const argsFor = typeof args === 'function' ? args : (): readonly string[] => args;
    const name = `script ${script.name}`;
    try {
      return await this.connection.send(name, (client, node) =>
        client.evalsha(script.sha1, keys.length, ...keys, ...argsFor(node)),
      );
    } catch (error) {
      if (!(error instanceof RedisCommandError) || error.replyCode !== 'NOSCRIPT') throw error;
    }
    return this.connection.send(name, (client, node) =>
      client.eval(script.source, keys.length, ...keys, ...argsFor(node)),
    );
  }
}
