/** What PostgreSQL knows of transactions that may still commit a write. */
export abstract class WriterActivity {
  /**
   * The backends of the database that are in a transaction that has written, or that run a
   * statement which commits by itself under a mark, each with an identity of that transaction.
   * Rejects when the database does not answer: nothing may be concluded then.
   */
  abstract writers(): Promise<ReadonlyMap<number, string>>;
}
