import type { Redis } from 'ioredis';
import type { CoalescedWrites } from './coalesced-writes.js';
import type { RedisState } from './outage-state.js';

/** @param node `run_id` of the server. */
export type Command<T> = (client: Redis, node: string) => Promise<T>;

/** An answer and the `run_id` of the server that gave it. */
export interface Answer<T> {
  readonly value: T;
  readonly node: string;
}

/** Sends commands to the server that holds the keys. */
export interface RedisCommands {
  /** Coalesces the commands' socket writes. */
  readonly writes: CoalescedWrites;

  /**
   * Sends one command and waits for the answer. `command` sends its commands before its first `await`.
   * Rejects with a `RedisError`; `name` is for messages.
   */
  send<T>(name: string, command: Command<T>, timeoutMs?: number): Promise<Answer<T>>;

  /**
   * Like {@link send}; but while the server is not available, it rejects only after an attempt to reach it that began
   * after the call has failed. A command whose connection breaks is sent once more, within the time limit of one
   * command: it may be executed twice.
   */
  sendAfterReconnect<T>(name: string, command: Command<T>): Promise<Answer<T>>;
}

/** The server that holds a key: always the same one, or the primary of the key's slot in a cluster. */
export type RedisRoute = (key: string) => RedisCommands;

/** The server that holds some data, and whether it can be trusted: a connection, or the way to one bucket of a cluster. */
export interface RedisLink extends RedisCommands {
  readonly state: RedisState;
  /** Why the server cannot be used, in words for people; while it can, the last reason. */
  readonly reason: string;
  /** How often the server went down. Incremented before the listeners run. */
  readonly outages: number;
  /** `run_id` of the server, while the link is up. */
  readonly node: string | undefined;

  onDown(listener: () => void): void;
  onUp(listener: () => void): void;

  /** Counts as an outage, which ends with the next successful attempt. */
  distrust(reason: string): void;
}
