/**
 * The store of versions, marks and epochs: one port, a memory and a Redis adapter.
 *
 * Every method is one atomic step on one table's data, or the same step on several tables (atomic for each table
 * alone; that is all the protocol needs). Methods reject when the store cannot be reached or does not answer in time;
 * the outcome of the step is then unknown. Tokens and write ids have none of the characters `!` and space.
 *
 * A table holds:
 * - an **epoch**: `<token> <node>` or, while settling, `<token> <node> settling`;
 * - **versions** by name (version-name.ts): `<token>` or, while writes are marked on it,
 *   `<token>!<writeId>!<writeId>...`. A missing version can match nothing stored;
 * - **marks** by write id: backend process id, lease deadline on the store's own clock, the names the mark lies on,
 *   and the transaction id last seen in that backend;
 * - the **dimensions** whose versions were ever created here. A write that names no version of such a dimension
 *   replaces its `d?`, so a writer that does not know a dimension is still seen.
 *
 * All of it belongs to the epoch. A store that has lost the marks or the dimensions drops the epoch with the next step
 * that needs them: all answers of the table then wait for the writes that are under way.
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
   * Identity of the server process that answered (Redis: `run_id`), as known for the very connection the answer came
   * over; `undefined` while it is not known.
   */
  readonly node: string | undefined;
  readonly epoch: string | undefined;
  /** In the order of the names asked for; `undefined` where the version is missing. */
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

export interface MarksReport {
  readonly expired: readonly ExpiredMark[];
  /** Time until the next lease runs out, in milliseconds; `undefined` when no lease is running. */
  readonly nextExpiryMs: number | undefined;
}

export abstract class VersionStore {
  /**
   * Reads epochs and versions; the read starts after the call. Calls made in one turn of the event loop may share one
   * round trip, and those with the same list, which nobody changes, the same promise.
   */
  abstract read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]>;

  /**
   * Creates the versions that are missing, each with `token`, and registers their dimensions. Answers the table's data
   * afterwards. A version of one value may be gone again after a minute, unless {@link prolong} is called.
   *
   * While a write is marked on the table, versions of a dimension that is not registered yet stay missing: the write
   * does not know the dimension and has put none of it in doubt. A version that marks name is created with these
   * marks. Without an epoch nothing is created.
   */
  abstract create(versions: TableVersionNames, token: string): Promise<TableReading>;

  /** An answer was stored under these versions: those that are there stay for `lifeMs` at least. */
  prolong(_versions: TableVersionNames, _lifeMs: number): Promise<void> {
    return Promise.resolve();
  }

  /** No answer was stored under these versions: those that still are `token`, without a mark, need not be kept. */
  drop(_versions: TableVersionNames, _token: string): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Puts the mark on its versions with a lease of `leaseMs` and replaces those that are there with `token`; the mark
   * lies on missing ones too, and on `d?` of every registered dimension that the names leave out.
   *
   * A table without an epoch is left as it is: nothing stored depends on it, and its next epoch waits for the
   * transactions that have written by then.
   */
  abstract begin(mark: WriteMark, token: string, leaseMs: number): Promise<void>;

  /** Removes the mark and replaces those of its versions that are there with `token`. Does nothing without the mark. */
  abstract end(writeId: string, tables: readonly string[], token: string): Promise<void>;

  /** Removes the mark after a rollback; the versions keep their tokens. */
  abstract abort(writeId: string, tables: readonly string[]): Promise<void>;

  /**
   * Marks of a table whose lease has run out. A version that names a write whose mark is lost proves lost data, and the
   * epoch is dropped.
   */
  abstract inspect(versions: TableVersionNames): Promise<MarksReport>;

  /** Like `end`, but only while the lease is still run out. Answers whether it removed the mark. */
  abstract settle(table: string, writeId: string, token: string): Promise<boolean>;

  /** Gives a mark whose lease has run out another lease, and remembers the transaction id. */
  abstract renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void>;

  /** Every table whose epoch ever counted: no answer depends on any other. A store may lose some. */
  abstract tables(): Promise<readonly string[]>;

  /**
   * Replaces the epoch by `<token> <node> settling` and drops all data of the table, only while the epoch still is
   * `observed` (`undefined`: missing). Answers whether it did.
   */
  abstract rotate(table: string, observed: string | undefined, token: string): Promise<boolean>;

  /** Removes ` settling` from the epoch, only while it still is `observed`. Answers whether it did. */
  abstract settleEpoch(table: string, observed: string): Promise<boolean>;
}
