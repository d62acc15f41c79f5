/**
 * The store of versions, marks and epochs: one port, with an adapter in memory and one for Redis.
 *
 * Every method is one atomic step on one table's data, or the same step on several tables (atomic per table, which is
 * all that the protocol needs). A method rejects if the store cannot be reached or does not answer in time; the outcome
 * of the step is then unknown. Tokens and write ids do not contain `!` or a space.
 *
 * A table holds:
 * - an **epoch**: `<token> <node>` or, while settling, `<token> <node> settling`;
 * - **versions** by name (versions.ts): `<token>` or, while writes are marked on it,
 *   `<token>!<writeId>!<writeId>...`. A missing version matches nothing stored;
 * - **marks** by write id: backend process id, lease deadline on the store's own clock, the marked names, and the
 *   transaction id last seen in that backend;
 * - the **dimensions** whose versions were ever created here. A write that names no version of such a dimension
 *   replaces its `d?`, so the write of a writer that does not know a dimension is still seen.
 *
 * The tables are spread over **buckets**. All data of a bucket lie on one server, and each bucket fails alone: while a
 * server is away, only the tables of its buckets are. A store on one server has one bucket. What concerns all tables,
 * such as the version of the schema, is kept once per bucket (`inBucket` of buckets.ts).
 *
 * All of it belongs to the epoch. A store that has lost marks or dimensions drops the epoch with the next step that
 * needs them: all answers of the table then wait for the open writes.
 */

/** Some versions of one table. */
export interface TableVersionNames {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  readonly names: readonly string[];
}

/** The data of one table at one moment. */
export interface TableReading {
  readonly table: string;
  /**
   * Identity of the server process that answered (Redis: `run_id`), as known for the connection of the answer;
   * `undefined` while unknown.
   */
  readonly node: string | undefined;
  readonly epoch: string | undefined;
  /** In the order of the requested names; `undefined` if the version is missing. */
  readonly versions: readonly (string | undefined)[];
}

/** A write that may commit at any moment. */
export interface WriteMark {
  /** Unique for each write. */
  readonly writeId: string;
  /** Process id of the PostgreSQL backend that runs the transaction. */
  readonly backendPid: number;
  readonly tables: readonly TableVersionNames[];
}

/** A mark whose lease has run out on the store's clock. */
export interface ExpiredMark {
  readonly writeId: string;
  readonly backendPid: number;
  /** The transaction id seen in that backend when the lease was last renewed. */
  readonly seenTransactionId: string | undefined;
}

/** A mark, to be shown. */
export interface StandingMark {
  readonly writeId: string;
  readonly backendPid: number;
  /** Time that its lease still runs, in milliseconds; 0 or less if it has run out. */
  readonly leaseLeftMs: number;
}

/** The marks of a table whose leases have run out. */
export interface MarksReport {
  readonly expired: readonly ExpiredMark[];
  /** Time until the next lease expires, in milliseconds; `undefined` if no lease is running. */
  readonly nextExpiryMs: number | undefined;
}

/** The port for versions, marks and epochs; the head of this file has the contract. */
export abstract class VersionStore {
  /** The number of buckets. Fixed, and the same for all processes that share the data. */
  abstract get buckets(): number;

  /** The bucket of a table, from 0. For a table of `inBucket` it is the bucket given there. */
  abstract bucketOf(table: string): number;

  /**
   * Reads epochs and versions; the read starts after the call. Calls in one turn of the event loop may share one round
   * trip, and calls with the same list, which must not change, may share one promise.
   */
  abstract read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]>;

  /**
   * Creates the missing versions, each with `token`, and registers their dimensions. Resolves to the table's data
   * afterwards. A version of one value may expire after a minute, unless {@link prolong} is called.
   *
   * While a write is marked on the table, versions of an unregistered dimension stay missing: the write does not know
   * the dimension and has put none of it in doubt. A missing version that marks name is created with these marks.
   * Without an epoch nothing is created.
   */
  abstract create(versions: TableVersionNames, token: string): Promise<TableReading>;

  /** An answer was stored under these versions: the existing ones must live for at least `lifeMs`. */
  prolong(_versions: TableVersionNames, _lifeMs: number): Promise<void> {
    return Promise.resolve();
  }

  /** No answer was stored under these versions: those that are still `token`, without a mark, may be dropped. */
  drop(_versions: TableVersionNames, _token: string): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Marks the versions for `leaseMs` and replaces the existing ones with `token`; the mark also covers missing ones,
   * and `d?` of every registered dimension that the names omit.
   *
   * A table without an epoch is unchanged: nothing stored depends on it, and its next epoch waits for the transactions
   * that have written by then.
   */
  abstract begin(mark: WriteMark, token: string, leaseMs: number): Promise<void>;

  /** Removes the mark and replaces its existing versions with `token`. Without the mark, nothing changes. */
  abstract end(writeId: string, tables: readonly string[], token: string): Promise<void>;

  /** Removes the mark after a rollback; the versions keep their tokens. */
  abstract abort(writeId: string, tables: readonly string[]): Promise<void>;

  /**
   * Marks of a table with an expired lease. A version that names a write whose mark is missing proves lost data, and
   * the epoch is dropped.
   */
  abstract inspect(versions: TableVersionNames): Promise<MarksReport>;

  /** All marks of the table, at most 100. Changes nothing. */
  abstract marks(table: string): Promise<readonly StandingMark[]>;

  /** Like `end`, but only if the lease is still expired. Resolves to whether it removed the mark. */
  abstract settle(table: string, writeId: string, token: string): Promise<boolean>;

  /** Gives a mark with an expired lease another lease, and records the transaction id. */
  abstract renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void>;

  /** Every table whose epoch ever counted: no answer depends on another table. A store may lose some. */
  abstract tables(): Promise<readonly string[]>;

  /**
   * Replaces the epoch with `<token> <node> settling` and drops all data of the table, only if the epoch still is
   * `observed` (`undefined`: missing). Resolves to whether it did.
   */
  abstract rotate(table: string, observed: string | undefined, token: string): Promise<boolean>;

  /** Removes ` settling` from the epoch, only if it still is `observed`. Resolves to whether it did. */
  abstract settleEpoch(table: string, observed: string): Promise<boolean>;
}
