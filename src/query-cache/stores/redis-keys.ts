import type { FillName } from '../core/entry-store.js';

/**
 * The names of all keys in Redis.
 *
 * | key                    | holds                                                          |
 * |------------------------|----------------------------------------------------------------|
 * | `<ns>:{<table>}:e`     | the epoch                                                      |
 * | `<ns>:{<table>}:v:<n>` | the version of name n; TTL while no write is marked on it      |
 * | `<ns>:{<table>}:m`     | hash: write id -> mark                                         |
 * | `<ns>:{<table>}:d`     | set: the dimensions whose versions were ever created           |
 * | `<ns>:t`              | set: the tables that were ever given an epoch                  |
 * | `<ns>:e:{<key>}`       | an entry; TTL                                                  |
 * | `<ns>:f:{<key>}:<s>`   | the lock of a fill under stamp s; TTL                          |
 * | `<ns>:{i}:h`           | nothing, ever: heartbeats delete it                            |
 * | `<ns>:{i}:q`           | the question of an instance that has begun (redis-witness.ts)  |
 * | `<ns>:{i}:p`           | an empty text on which heartbeats try commands                 |
 *
 * The braces put all data of one table into one slot of a Redis cluster, and an entry beside the locks of
 * its fills.
 */
export class RedisKeys {
  readonly #tables = new Map<string, string>();

  /** `namespace` keeps services that share a Redis apart; it has no braces. */
  constructor(private readonly namespace: string) {
    if (namespace === '' || /[{}]/.test(namespace)) {
      throw new TypeError('The cache namespace must not be empty or have braces');
    }
  }

  epoch(table: string): string {
    return `${this.#table(table)}e`;
  }

  version(table: string, name: string): string {
    return `${this.#table(table)}v:${name}`;
  }

  /** The keys of the scripts on a table: epoch, marks, dimensions. */
  ofScript(table: string): readonly string[] {
    const prefix = this.#table(table);
    return [`${prefix}e`, `${prefix}m`, `${prefix}d`];
  }

  tables(): string {
    return `${this.namespace}:t`;
  }

  entry(key: string): string {
    return `${this.namespace}:e:{${key}}`;
  }

  fillLock({ key, stamp }: FillName): string {
    return `${this.namespace}:f:{${key}}:${stamp}`;
  }

  /** The keys of a heartbeat: one that is never set, the question of an instance, an empty text. */
  ofHeartbeat(): readonly [unset: string, question: string, text: string] {
    const prefix = `${this.namespace}:{i}:`;
    return [`${prefix}h`, `${prefix}q`, `${prefix}p`];
  }

  #table(table: string): string {
    let prefix = this.#tables.get(table);
    if (prefix === undefined) {
      prefix = `${this.namespace}:{${table.replace(/[%{}]/g, encodeURIComponent)}}:`;
      this.#tables.set(table, prefix);
    }
    return prefix;
  }
}
