/** A transaction that may still commit a write, or an autonomous statement with a mark. */
export interface WritingTransaction {
  /** Distinguishes it from every other transaction of the same backend. */
  readonly id: string;
  /** The `application_name` of its session. */
  readonly application: string;
  /** Its start by PostgreSQL's clock (ISO 8601, UTC); `undefined`: the role may not see it. */
  readonly since: string | undefined;
}

/** Transactions by the process id of their backend. */
export type Writers = ReadonlyMap<number, WritingTransaction>;

/** The transactions that may still commit a write, as reported by PostgreSQL. */
export abstract class WriterActivity {
  /**
   * The transactions of the database that have written, and the autonomous statements with a mark. The query is sent
   * after the call. Rejects if the database does not answer.
   */
  abstract writers(): Promise<Writers>;
}
