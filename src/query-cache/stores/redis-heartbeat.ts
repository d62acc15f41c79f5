/** The heartbeat of the connection to Redis: whether the cache can do there all that it needs. */
import type { Redis } from 'ioredis';
import type { Heartbeat } from '../../redis/redis-connection.options.js';
import type { MemoryState } from '../../redis/memory-state.js';
import { RedisPermissionError } from '../../redis/redis.errors.js';
import type { DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { heartbeat } from './scripts/heartbeat.script.js';

export class RedisHeartbeat implements Heartbeat {
  readonly #keys: readonly [unset: string, question: string, text: string];

  /** `onQuestion` gets the question of an instance that has begun. */
  constructor(
    keys: RedisKeys,
    private readonly canary: DataCanary,
    private readonly memory: MemoryState,
    private readonly onQuestion: (question: string) => void,
  ) {
    this.#keys = keys.ofHeartbeat();
  }

  /** Answers the question found. @throws RedisPermissionError */
  async beat(client: Redis, node: string): Promise<unknown> {
    const { length } = this.#keys;
    const raised = this.canary.raise(client, node);
    // The script below tells which command is refused.
    raised.catch(() => undefined);
    const [answer] = await Promise.all([
      client.eval(heartbeat.source, length, ...this.#keys),
      // The same again, to know that scripts may be run by their SHA-1 too.
      client.evalsha(heartbeat.sha1, length, ...this.#keys).catch(unless('NOSCRIPT')),
      this.#askForMemory(client),
    ]);
    const [question, ...refused] = answer as [unknown, ...string[]];
    if (refused.length > 0) throw new RedisPermissionError(refused);
    await raised;
    return question;
  }

  answered(question: unknown): void {
    if (typeof question === 'string') this.onQuestion(question);
  }

  /** By a command that changes nothing, and that a server at its memory limit refuses. */
  async #askForMemory(client: Redis): Promise<void> {
    const [, , text] = this.#keys;
    const answer = await client.set(text, '', 'NX').catch(unless('OOM'));
    if (answer === REFUSED) this.memory.refused();
    else this.memory.granted();
  }
}

const REFUSED = Symbol('refused');

/** Rethrows an error unless it is a reply with the code. */
function unless(replyCode: string): (error: unknown) => typeof REFUSED {
  return (error) => {
    if (error instanceof Error && error.message.startsWith(`${replyCode} `)) return REFUSED;
    throw error;
  };
}
