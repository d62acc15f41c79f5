/** The heartbeat of the connection to Redis: whether the cache can do there all that it needs. */
import type { Redis } from 'ioredis';
import type { Heartbeat } from '../../redis/redis-connection.options.js';
import type { MemoryState } from '../../redis/memory-state.js';
import { RedisPermissionError } from '../../redis/redis.errors.js';
import type { DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { heartbeat } from './scripts/heartbeat.script.js';

export interface RedisHeartbeatParts {
  readonly keys: RedisKeys;
  readonly canary: DataCanary;
  readonly memory: MemoryState;
  /** Gets the question of an instance that has begun. */
  readonly onQuestion: (question: string) => void;
}

export class RedisHeartbeat implements Heartbeat {
  readonly #keys: readonly [unset: string, question: string, text: string];

  constructor(private readonly parts: RedisHeartbeatParts) {
    this.#keys = parts.keys.ofHeartbeat();
  }

  /** Answers the question found. @throws RedisPermissionError */
  async beat(client: Redis, node: string): Promise<unknown> {
    const { length } = this.#keys;
    const raised = this.parts.canary.raise(client, node);
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
    if (typeof question === 'string') this.parts.onQuestion(question);
  }

  /** By a command that changes nothing, and that a server at its memory limit refuses. */
  async #askForMemory(client: Redis): Promise<void> {
    const [, , text] = this.#keys;
    const answer = await client.set(text, '', 'NX').catch(unless('OOM'));
    if (answer === REFUSED) this.parts.memory.refused();
    else this.parts.memory.granted();
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
