/**
 * The names of all keys in Redis, with the namespace `ns` and the database name `db`.
 *
 * | key                         | holds                                                          |
 * |-----------------------------|----------------------------------------------------------------|
 * | `<ns>:<db>:{<table>}:e`     | the epoch                                                      |
 * | `<ns>:<db>:{<table>}:v:<n>` | the version of name n; TTL if it is of one value, unmarked     |
 * | `<ns>:<db>:{<table>}:m`     | hash: write id -> mark, and the register (table-functions.ts)  |
 * | `<ns>:<db>:t`               | set: the tables whose epochs ever counted                      |
 * | `<ns>:<db>:{i}:h`           | nothing, ever: heartbeats delete it                            |
 * | `<ns>:<db>:{i}:q`           | the question of a starting instance (peer-attestation.ts)      |
 * | `<ns>:<db>:{i}:p`           | an empty text on which heartbeats try commands                 |
 * | `<ns>:<db>:{i}:c`           | hash: the processes that have a number                         |
 * | `<ns>:<db>:{i}:c:<process>` | the number of a process (data-canary.ts)                       |
 * | `<ns>:<db>:{i}:r:<source>`  | hash: the reports of the instances (instance-board.script.ts)  |
 * | `<ns>:e:{<key>}`            | an entry; TTL                                                  |
 * | `<ns>:f:{<key>}`            | the lock of its fill; TTL                                      |
 *
 * The database name is derived from the identity of its server (nestjs/shared-secrets.ts), so that tables with the same
 * name in two databases stay apart. The key of a query contains it. The braces put all data of one table into one slot
 * of a Redis cluster, and an entry into the slot of its fill's lock.
 *
 * In a cluster all data of one bucket lie in one slot, with `tag` for the bucket (cluster/slots.ts):
 * `<ns>:<db>:{<tag>}:<table>:e`, `<ns>:<db>:{<tag>}:t`, `<ns>:<db>:{<tag>}:i:h`, and so on.
 */
export class RedisKeys {
  readonly #ofDatabase: string;
  /** Of what concerns all tables. */
  readonly #ofInstances: string;

  /**
   * `namespace` separates services that share a Redis; neither name contains braces.
   *
   * @param tag of the bucket whose keys these are, in a cluster.
   */
  constructor(
    private readonly namespace: string,
    database: string,
    private readonly tag?: string,
  ) {
    if ([namespace, database].some((name) => name === '' || /[{}]/.test(name))) {
      throw new TypeError('The names of cache and database must not be empty or have braces');
    }
    const ofDatabase = `${namespace}:${database}`;
    this.#ofDatabase = tag === undefined ? ofDatabase : `${ofDatabase}:{${tag}}`;
    this.#ofInstances = tag === undefined ? `${ofDatabase}:{i}` : `${this.#ofDatabase}:i`;
  }

  epoch(table: string): string {
    return `${this.#table(table)}e`;
  }

  version(table: string, name: string): string {
    return `${this.#table(table)}v:${name}`;
  }

  /** The keys of the table scripts: epoch, marks. */
  ofScript(table: string): readonly string[] {
    return [this.epoch(table), `${this.#table(table)}m`];
  }

  tables(): string {
    return `${this.#ofDatabase}:t`;
  }

  entry(key: string): string {
    return `${this.namespace}:e:{${key}}`;
  }

  fillLock(key: string): string {
    return `${this.namespace}:f:{${key}}`;
  }

  /** The keys of a heartbeat: one that is never set, the question of a starting instance, an empty text. */
  ofHeartbeat(): readonly [unset: string, question: string, text: string] {
    const prefix = this.#ofInstances;
    return [`${prefix}:h`, `${prefix}:q`, `${prefix}:p`];
  }

  /** The number of a process, and the hash of all processes. The script derives the keys of the others. */
  ofCanary(process: string): readonly [number: string, processes: string] {
    const processes = `${this.#ofInstances}:c`;
    return [`${processes}:${process}`, processes];
  }

  /** The reports of the instances over a data source, and the mode that they share. */
  board(dataSource: string): string {
    return `${this.#ofInstances}:r:${dataSource}`;
  }

  #table(table: string): string {
    if (this.tag === undefined) {
      return `${this.#ofDatabase}:{${table.replace(/[%{}]/g, encodeURIComponent)}}:`;
    }
    // Encoded too: the colon, which ends the name here.
    return `${this.#ofDatabase}:${table.replace(/[%:]/g, encodeURIComponent)}:`;
  }
}
