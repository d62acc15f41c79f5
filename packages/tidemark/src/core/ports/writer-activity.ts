/** A transaction that may still commit a write, or a statement that commits by itself under a mark. */
export interface WritingTransaction {
  /** Tells it from every other transaction of the same backend. */
  readonly id: string;
  /** The `application_name` of its session. */
  readonly application: string;
  /** When it began by the clock of PostgreSQL (ISO 8601, UTC); `undefined`: the role may not see it. */
  readonly since: string | undefined;
}

/** Transactions by the process id of their backend. */
export type Writers = ReadonlyMap<number, WritingTransaction>;

/** Transactions that may still commit a write, as PostgreSQL knows them. */
export abstract class WriterActivity {
  /**
   * The transactions of the database that have written, and the statements that commit by themselves under a mark. The
   * question is sent after the call. Rejects when the database does not answer.
   */
  abstract writers(): Promise<Writers>;
}
