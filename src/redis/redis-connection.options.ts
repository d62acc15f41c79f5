import type { Redis } from 'ioredis';
import type { RedisLog } from './outage-state.js';

export interface RedisConnectionOptions {
  readonly heartbeat: Heartbeat;
  /** For messages; has no user and no password. */
  readonly address: string;
  readonly timeoutMs: number;
  readonly log: RedisLog;
  /** Called for each command that the server refuses because it is at its memory limit. */
  readonly onOutOfMemory?: () => void;
}

/**
 * What shows that the server can be used for what it is there for. It should write, in the way the
 * application writes, and change nothing: a server that refuses writes (a replica, a failed
 * snapshot, missing permissions) may well go on answering reads.
 */
export interface Heartbeat {
  /**
   * Sends its commands at once; rejects when the server refuses one that the application needs.
   *
   * @param node `run_id` of the server, as known for the connection.
   */
  beat(client: Redis, node: string): Promise<unknown>;
  /** Gets what a beat was answered with while the connection was up. */
  answered?(answer: unknown): void;
}

/** An answer and the `run_id` of the server that gave it. */
export interface Answer<T> {
  readonly value: T;
  readonly node: string;
}
